package authcode

import (
	"log/slog"
	"strconv"
	"strings"

	"example.com/authcode/internal/headers"
)

// LogValue groups reason, check, provider and text. If there is a tenant, it adds
// the key, and quotes one that has other characters than visible ASCII.
func (e Error) LogValue() slog.Value {
	// Fields of their own let an operator count by reason and check.
	fields := []slog.Attr{
		slog.String("reason", string(e.Reason)),
		slog.String("check", e.Check),
		slog.String("provider", e.Provider),
		slog.String("text", e.Error()),
	}
	if e.Tenant != "" {
		fields = append(fields, slog.String("tenant", visible(e.Tenant)))
	}
	return slog.GroupValue(fields...)
}

// visible returns the key of a tenant for a log. A key may be any text: one with
// a line break would look like another line.
func visible(key string) string {
	if headers.IsVisible(key) && !strings.ContainsAny(key, ` "\`) {
		return key
	}
	return strconv.QuoteToASCII(key)
}

// logOf returns slog's default logger with the keys that every line about e has.
func logOf(e *Error) *slog.Logger {
	log := slog.With("error", e)
	// The provider's own words often name the cause. A stranger may have
	// written them, so they are quoted, and marked as not the library's.
	if words := strings.TrimSpace(e.ServerError + " " + e.ServerDescription); words != "" {
		log = log.With("provider_said", strconv.Quote(words))
	}
	return log
}

package secret_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"example.com/authcode/internal/secret"
)

const canary = "canary-7f3a91"

type redacted = secret.Redacted

type outer struct {
	redacted
	Password string
}

type nested struct {
	hidden secret.Value[string]
	List   []*secret.Value[string]
}

func TestNothingPrintsASecret(t *testing.T) {
	v := secret.Hide(canary)
	o := outer{Password: canary}
	for name, value := range map[string]any{
		"value": v, "pointer": &v, "slice": []secret.Value[string]{v}, "map": map[string]any{"k": v},
		"unexported field": nested{v, []*secret.Value[string]{&v}}, "redacted struct": o, "pointer to one": &o,
		"slice of them": []outer{o}, "slice of pointers": []*outer{&o},
	} {
		var out bytes.Buffer
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&out, verb+"\n", value)
		}
		json.NewEncoder(&out).Encode(value)
		slog.New(slog.NewTextHandler(&out, nil)).Info("dump", "v", value)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("dump", "v", value)
		if strings.Contains(out.String(), canary) || strings.Contains(out.String(), fmt.Sprintf("%x", canary)) {
			t.Errorf("%s prints the secret: %s", name, out.String())
		}
	}
	if v.Reveal() != canary || (secret.Value[string]{}).Reveal() != "" {
		t.Error("Reveal does not return what Hide was given")
	}
}

package authcode

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strconv"
	"strings"
	"sync"

	"github.com/gorilla/securecookie"
)

// sealer holds what is made of one cookie key.
type sealer struct {
	cookie     *securecookie.SecureCookie
	tagKey     [32]byte   // of the states
	workspaces *sync.Pool // of *workspace: making one costs more than using it
}

func newSealer(key []byte) *sealer {
	// RFC 5869: three independent keys from one, so that the operator has one
	// secret and no key has two uses. The info string separates them from other
	// keys that an app may derive from the same secret. Key fails only for more
	// than 8160 bytes and, in Go's FIPS mode, for a secret under 14 bytes.
	keys, _ := hkdf.Key(sha256.New, key, nil, "authcode login v3", 96)
	// The second key makes securecookie encrypt. Without it a cookie would only
	// be signed, and the verifier readable.
	cookie := securecookie.New(keys[:32], keys[32:64]).
		SetSerializer(bytesEncoder{}).
		MaxLength(0). // open bounds it
		// No age limit of its own: securecookie would accept times in the
		// future. The start time in the state decides.
		MaxAge(0)
	return &sealer{
		cookie: cookie, tagKey: [32]byte(keys[64:]),
		workspaces: &sync.Pool{New: func() any { return new(workspace) }},
	}
}

// bytesEncoder is securecookie's NopEncoder for a *[]byte. A pointer becomes an
// interface without allocation.
type bytesEncoder struct{}

// Serialize implements [securecookie.Serializer].
func (bytesEncoder) Serialize(src any) ([]byte, error) { return *src.(*[]byte), nil }

// Deserialize implements [securecookie.Serializer].
func (bytesEncoder) Deserialize(src []byte, dst any) error {
	*dst.(*[]byte) = src
	return nil
}

// workspace is what one Encode or Decode needs at a time. It would have to be
// allocated for each: the compiler cannot see that securecookie does not keep it.
type workspace struct{ in, out []byte }

// Lengths in a packed cookie value, in bytes.
const (
	dateLen = 5 // seconds since 1970
	macLen  = sha256.Size
)

const (
	// packMark begins a packed value. Base64 does not use it.
	packMark = "~"

	// maxUnpacked is how many bytes of name and value need no packing: of these
	// cookies, maxPending fit into maxPendingBytes.
	maxUnpacked = maxPendingBytes/maxPending - len("=; ")
)

// seal encrypts and signs plain. The signature covers name.
func (k *sealer) seal(name string, plain []byte) (string, error) {
	w := k.workspaces.Get().(*workspace)
	defer k.workspaces.Put(w)
	w.in = append(w.in[:0], plain...)
	// Encode encrypts w.in in place, so no secret stays in the workspace.
	value, err := k.cookie.Encode(signedName(name), &w.in)
	if len(name)+len(value) <= maxUnpacked { // with an error, value is empty
		return value, err
	}
	return pack(value)
}

// signedName returns what the signature covers of a cookie's name: all but the
// prefix, which is the same in all of them and would be hashed with each login.
func signedName(name string) string {
	return strings.TrimPrefix(strings.TrimPrefix(name, hostPrefix), loginPrefix)
}

// open returns what seal was given, if name and key are the same.
func (k *sealer) open(name, value string) ([]byte, error) {
	switch packed, isPacked := strings.CutPrefix(value, packMark); {
	// Base64 skips line breaks.
	case len(value) > maxAnswerCookie, strings.Contains(value, "\r"), strings.Contains(value, "\n"):
		return nil, errCookie
	case isPacked:
		value = unpack(packed)
	case !isStrict(value):
		return nil, errCookie
	}
	w := k.workspaces.Get().(*workspace)
	defer k.workspaces.Put(w)
	err := k.cookie.Decode(signedName(name), value, &w.out)
	plain := w.out
	w.out = nil // it is the caller's now
	return plain, err
}

// isStrict reports whether base64 text that decodes is the only spelling of its
// bytes: the unused bits at its end must be zero.
func isStrict(text string) bool {
	const group = 4 // characters for three bytes
	var last [3]byte
	end := text[max(0, len(text)-group):]
	_, err := base64.URLEncoding.Strict().Decode(last[:], []byte(end))
	return err == nil
}

// pack shortens a value of securecookie by a quarter, for long return paths.
// What it seals stays the same, byte for byte.
func pack(value string) (string, error) {
	// securecookie encodes twice: base64(date|base64(ciphertext)|MAC).
	outer, err := base64.URLEncoding.DecodeString(value)
	date, rest, _ := bytes.Cut(outer, []byte("|"))
	seconds, dateErr := strconv.ParseInt(string(date), 10, 64)
	if err != nil || dateErr != nil || len(rest) < macLen+1 {
		return "", errCookie
	}
	body, mac := rest[:len(rest)-macLen-1], rest[len(rest)-macLen:]
	packed := binary.BigEndian.AppendUint64(nil, uint64(seconds))[8-dateLen:]
	packed = append(packed, mac...)
	if packed, err = base64.URLEncoding.AppendDecode(packed, body); err != nil {
		return "", errCookie
	}
	return packMark + base64.RawURLEncoding.EncodeToString(packed), nil
}

// unpack returns the value that pack was given, of what follows packMark. It
// returns "", which does not open, if pack did not make that.
func unpack(packed string) string {
	// Strict, so that each value has one spelling.
	b, err := strict64.DecodeString(packed)
	if err != nil || len(b) < dateLen+macLen {
		return ""
	}
	seconds := binary.BigEndian.Uint64(append(make([]byte, 8-dateLen, 8), b[:dateLen]...))
	outer := append(strconv.AppendUint(nil, seconds, 10), '|')
	outer = base64.URLEncoding.AppendEncode(outer, b[dateLen+macLen:])
	outer = append(append(outer, '|'), b[dateLen:dateLen+macLen]...)
	return base64.URLEncoding.EncodeToString(outer)
}

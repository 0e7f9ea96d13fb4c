package authcode

import (
	"runtime"
	"strconv"
	"strings"
	"testing"

	"example.com/authcode/internal/secret"
	"example.com/authcode/internal/wire"
	"example.com/authcode/test/measure"
)

// TestSizeOfValues: a decoded value holds about as many bytes as addSize says at most.
func TestSizeOfValues(t *testing.T) {
	wide := new(strings.Builder)
	for n := range 20_000 {
		wide.WriteString(`"` + strconv.Itoa(n) + `":0,`)
	}
	list := func(n int, element string) wire.Raw {
		return wire.Raw("[" + strings.Repeat(element+",", n) + "0]")
	}
	for claim, raw := range map[string]wire.Raw{
		"numbers": list(50_000, "0"), "texts": list(50_000, `""`), "nulls": list(50_000, "null"),
		"lists": list(20_000, "[0]"), "empty lists": list(20_000, "[]"),
		"objects": list(20_000, `{"a":0}`), "empty objects": list(20_000, "{}"),
		"objects inside of objects": list(400, strings.Repeat(`{"":`, 90)+"0"+strings.Repeat("}", 90)),
		"objects of nine":           list(5_000, `{"a":0,"b":0,"c":0,"d":0,"e":0,"f":0,"g":0,"h":0,"i":0}`),
		"one object":                wire.Raw("{" + wide.String() + `"":0}`),
	} {
		t.Run(claim, func(t *testing.T) {
			before := measure.Heap()
			value, ok := wire.Any(raw)
			held := int(measure.Heap() - before)
			if said := addSize(0, value); !ok || held > said+said/10 {
				t.Errorf("it holds %d bytes, and addSize says %d", held, said)
			}
			runtime.KeepAlive(raw)
		})
	}
}

// TestSizeEnds: values of an app's own Identity that contain themselves.
func TestSizeEnds(t *testing.T) {
	list, object := []any{nil}, map[string]any{}
	list[0], object["a"] = list, object
	for claim, value := range map[string]any{"a list": list, "an object": object} {
		if got := addSize(0, value); got < maxKeptBytes || got > 2*maxKeptBytes {
			t.Errorf("%s that contains itself has %d bytes", claim, got)
		}
	}
}

// TestSizeOfAnError: an Error counts with the words of a server that it holds.
func TestSizeOfAnError(t *testing.T) {
	long := secret.Scrub(strings.Repeat("x", maxAnswer), nil)
	e := &Error{ServerError: long, ServerDescription: long}
	if got := (outcome{err: e}).size(); got < len(e.ServerError)+len(e.ServerDescription)+overhead {
		t.Errorf("an Error with %d bytes of a server has a size of %d", 2*len(long), got)
	}
}

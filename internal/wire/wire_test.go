package wire_test

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"example.com/authcode/internal/wire"
)

func TestParseObjectReads(t *testing.T) {
	for _, c := range []struct {
		claim, in string
		want      wire.Object
	}{
		{"an empty object has no members", "{}", wire.Object{}},
		{"white space around every token is dropped", " {\n\t\"a\" :\r1 , \"b\":\"c\" }\n", wire.Object{"a": "1", "b": `"c"`}},
		{"values stay as they stand", `{"a":1.50,"b":"\u0041","c":-1e-5,"d":true,"e":null}`,
			wire.Object{"a": "1.50", "b": `"\u0041"`, "c": "-1e-5", "d": "true", "e": "null"}},
		{"white space inside a value stays", `{"a":[ 1, 2 ],"b":{ }}`, wire.Object{"a": "[ 1, 2 ]", "b": "{ }"}},
		{"nested values end where they end", `{"a":[[{"x":[1]}],2],"b":{"c":{"d":[]}}}`,
			wire.Object{"a": `[[{"x":[1]}],2]`, "b": `{"c":{"d":[]}}`}},
		{"brackets inside strings end nothing", `{"a":["]}",{"}":"]"}],"b":"{[,"}`,
			wire.Object{"a": `["]}",{"}":"]"}]`, "b": `"{[,"`}},
		{"escaped quotes and backslashes end nothing", `{"a":"\\","b":"\"}","c":["\\\"]"]}`,
			wire.Object{"a": `"\\"`, "b": `"\"}"`, "c": `["\\\"]"]`}},
		{"escapes in a name are read", `{"\u0061ccess\u005ftoken":"x"}`, wire.Object{"access_token": `"x"`}},
		{"the empty name is a name", `{"":1,"a":2}`, wire.Object{"": "1", "a": "2"}},
		{"a name may begin another", `{"a":1,"ab":2,"Abc":3}`, wire.Object{"a": "1", "ab": "2", "Abc": "3"}},
	} {
		t.Run(c.claim, func(t *testing.T) {
			got, err := wire.ParseObject([]byte(c.in))
			if err != nil || !maps.Equal(got, c.want) {
				t.Errorf("%s: got %q, %v; want %q", c.in, got, err, c.want)
			}
		})
	}
}

// refusedObjects are texts that ParseObject does not read.
var refusedObjects = map[string]string{
	"nothing":                            "",
	"white space alone":                  " \n",
	"null":                               "null",
	"an array":                           `[{"access_token":"x"}]`,
	"a string":                           `"{}"`,
	"a second object":                    `{}{"access_token":"x"}`,
	"anything after the object":          `{}x`,
	"a NUL after the object":             "{}\x00",
	"a byte order mark":                  "\ufeff{}",
	"a comma too many":                   `{"a":1,}`,
	"no colon":                           `{"a" 1}`,
	"a bare name":                        `{a:1}`,
	"a number for a name":                `{1 :2}`,
	"null for a name":                    `{null :1}`,
	"an array for a name":                `{["a"]:1}`,
	"single quotes":                      `{'a':1}`,
	"a comment":                          `{"a":1/**/}`,
	"NaN":                                `{"a":NaN}`,
	"a leading zero":                     `{"a":01}`,
	"an unfinished object":               `{"a":1`,
	"an object unfinished after a text":  `{"a":"b"`,
	"an object unfinished after a value": `{"a":{}`,
	"an object closed as an array":       `{"a":"b"]`,
	"no comma between members":           `{"a":"b" "c":"d"}`,
	"a value without an end":             `{"a":[1}`,
	"an unknown escape":                  `{"a":"\x"}`,
	"nesting beyond a hundred":           `{"a":` + strings.Repeat("[", 101) + strings.Repeat("]", 101) + `}`,
	"an unknown escape in a name":        `{"\x":"a"}`,
	"an escape that is cut":              `{"a":"\u12"}`,
	"an unfinished string":               `{"a":"}`,
	"a raw line break in a string":       "{\"a\":\"b\nc\"}",
	"invalid UTF-8 in a value":           "{\"a\":\"\xff\"}",
	"invalid UTF-8 in a name":            "{\"\xff\":1}",
	"nesting without end":                `{"a":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `}`,
	"a name that repeats":                `{"a":1,"b":2,"a":1}`,
	"a name that repeats by an escape":   `{"access_token":"x","\u0061ccess_token":"y"}`,
	"a name that repeats in capitals":    `{"access_token":"x","ACCESS_TOKEN":"y"}`,
	"capitals that repeat as they are":   `{"A":1,"A":2}`,
	"capitals that come first":           `{"Access_Token":"x","access_token":"y"}`,
	"two spellings in capitals":          `{"ACCESS_token":"x","access_TOKEN":"y"}`,
	"a Kelvin sign for the letter k":     `{"access_token":"x","access_to` + "\u212a" + `en":"y"}`,
	"a long s for the letter s":          `{"access_token":"x","acces` + "\u017f" + `_token":"y"}`,
	"a long s before the letter s":       `{"\u017fcope":"x","scope":"y"}`,
	"a final sigma for a capital sigma":  `{"` + "\u03c2" + `":1,"` + "\u03a3" + `":2}`,
	"two broken surrogates for one name": `{"\ud800":1,"\udbff":2}`,
}

func TestParseObjectRefuses(t *testing.T) {
	for claim, in := range refusedObjects {
		t.Run(claim, func(t *testing.T) {
			if got, err := wire.ParseObject([]byte(in)); err == nil {
				t.Errorf("%.80q was read as %.80q", in, got)
			}
		})
	}
}

func TestParseForm(t *testing.T) {
	for _, c := range []struct {
		claim, in string
		want      wire.Object // nil: refused
	}{
		{"members become strings", "access_token=a%2Bb&scope=x+y", wire.Object{"access_token": `"a+b"`, "scope": `"x y"`}},
		{"white space around the form is dropped", "\r\n a=1\n", wire.Object{"a": `"1"`}},
		{"an empty value is a value", "a=&b", wire.Object{"a": `""`, "b": `""`}},
		{"a number stays a string", "expires_in=3600", wire.Object{"expires_in": `"3600"`}},
		{"a name that repeats is refused", "access_token=a&access_token=b", nil},
		{"a name that repeats by an escape is refused", "access_token=a&%61ccess_token=b", nil},
		{"a name that repeats in capitals is refused", "access_token=a&Access_Token=b", nil},
		{"a long s for the letter s is refused", "scope=a&%C5%BFcope=b", nil},
		{"a broken escape is refused", "access_token=a%zz", nil},
		{"a semicolon between members is refused", "access_token=a;b=c", nil},
		{"invalid UTF-8 is refused", "access_token=\xff", nil},
		{"invalid UTF-8 in an escape is refused", "access_token=%FF", nil},
		{"invalid UTF-8 in the escape of a name is refused", "%FF=a", nil},
	} {
		t.Run(c.claim, func(t *testing.T) {
			got, err := wire.ParseForm([]byte(c.in))
			if (err != nil) != (c.want == nil) || !maps.Equal(got, c.want) {
				t.Errorf("%q: got %q, %v; want %q", c.in, got, err, c.want)
			}
		})
	}
}

// valueRows are values as each function reads them.
var valueRows = []struct {
	claim string
	read  func(wire.Raw) (any, bool)
	in    wire.Raw
	want  any // nil: refused
}{
	{"a text is read", readText, `"a b"`, "a b"},
	{"the escapes of a text are read", readText, `"\u0041\n\"\ud83d\ude00"`, "A\n\"\U0001f600"},
	{"the empty text is a text", readText, `""`, ""},
	{"digits in a text stay digits", readText, `"0012"`, "0012"},
	{"a number is no text", readText, `12`, nil},
	{"null is no text", readText, `null`, nil},
	{"an array of a text is no text", readText, `["a"]`, nil},
	{"a null member is no text but absent", readMember, `null`, ""},
	{"a number member is refused, not absent", readMember, `12`, nil},
	{"a false member is refused, not absent", readMember, `false`, nil},
	{"an array of texts is read", readList, `[ "a","\u0062" ]`, []string{"a", "b"}},
	{"the empty array is read", readList, `[]`, []string{}},
	{"an array with a number is no list of texts", readList, `["a",1]`, nil},
	{"an array with null is no list of texts", readList, `["a",null]`, nil},
	{"a text is no list of texts", readList, `"a"`, nil},
	{"null is no list of texts", readList, `null`, nil},
	{"nothing is no list of texts", readList, ``, nil},
	{"half an array is no list of texts", readList, `["a",`, nil},
	{"a whole number is read", readNumber, `3600`, 3600.0},
	{"a fraction is read", readNumber, `3600.0`, 3600.0},
	{"an exponent is read", readNumber, `36e2`, 3600.0},
	{"a number in a text is read", readNumber, `"3600"`, 3600.0},
	{"white space around a number in a text is dropped", readNumber, `" 3600\n"`, 3600.0},
	{"a negative number is read", readNumber, `-1`, -1.0},
	{"a number beyond a float64 is refused", readNumber, `1e400`, nil},
	{"a number beyond a float64 in a text is refused", readNumber, `"1e400"`, nil},
	{"infinity in a text is refused", readNumber, `"inf"`, nil},
	{"not a number in a text is refused", readNumber, `"NaN"`, nil},
	{"a hexadecimal number in a text is refused", readNumber, `"0x10"`, nil},
	{"digits with an underscore in a text are refused", readNumber, `"3_600"`, nil},
	{"a plus sign in a text is refused", readNumber, `"+3600"`, nil},
	{"a leading zero in a text is refused", readNumber, `"03600"`, nil},
	{"a bare point in a text is refused", readNumber, `"3600."`, nil},
	{"an empty text is no number", readNumber, `""`, nil},
	{"white space in a text is no number", readNumber, `" "`, nil},
	{"words after a number in a text are refused", readNumber, `"3600 s"`, nil},
	{"true is no number", readNumber, `true`, nil},
	{"null is no number", readNumber, `null`, nil},
	{"an array of a number is no number", readNumber, `[3600]`, nil},
	{"a large number stays exact", readAny,
		`9007199254740993`, json.Number("9007199254740993")},
	{"a large number inside an object stays exact", readAny,
		`{"id":[9007199254740993]}`, map[string]any{"id": []any{json.Number("9007199254740993")}}},
}

func readText(r wire.Raw) (any, bool)   { s, ok := wire.Text(r); return s, ok }
func readList(r wire.Raw) (any, bool)   { s, ok := wire.Strings(r); return s, ok }
func readNumber(r wire.Raw) (any, bool) { f, ok := wire.Number(r); return f, ok }
func readMember(r wire.Raw) (any, bool) { s, ok := wire.Object{"m": r}.Text("m"); return s, ok }
func readAny(r wire.Raw) (any, bool)    { return wire.Any(r) }

func TestValues(t *testing.T) {
	for _, c := range valueRows {
		t.Run(c.claim, func(t *testing.T) {
			got, ok := c.read(c.in)
			if ok != (c.want != nil) || ok && !reflect.DeepEqual(got, c.want) {
				t.Errorf("%s: got %#v, %v; want %#v", c.in, got, ok, c.want)
			}
		})
	}
	if s, ok := (wire.Object{}).Text("m"); s != "" || !ok {
		t.Errorf("a missing member: got %q, %v; want it to read as empty", s, ok)
	}
}

// What an Object holds survives being stored and read back.
func TestObjectIsStoredWhole(t *testing.T) {
	obj, err := wire.ParseObject([]byte(`{"a":9007199254740993,"B":"<\u0041>","c":{"d":[null]}}`))
	if err != nil {
		t.Fatal(err)
	}
	stored, err := json.Marshal(obj)
	if err != nil {
		t.Fatal(err)
	}
	var back wire.Object
	if err := json.Unmarshal(stored, &back); err != nil || len(back) != len(obj) {
		t.Fatalf("got %q, %v; want %q", back, err, obj)
	}
	for name, raw := range obj {
		want, _ := wire.Any(raw)
		if got, ok := wire.Any(back[name]); !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %#v, want %#v", name, got, want)
		}
	}
}

func TestElements(t *testing.T) {
	for _, c := range []struct {
		claim, in string
		want      []wire.Raw
	}{
		{"an empty array has none", "[ ]", nil},
		{"an object has none", "{}", nil},
		{"elements stay as they stand", `[ {"a":[1, 2]} ,"],[" , 1.50,null, [] ]`, []wire.Raw{`{"a":[1, 2]}`, `"],["`, "1.50"}},
		{"fewer than asked for", "[1\n,\n[2]]", []wire.Raw{"1", "[2]"}},
	} {
		if got := wire.Elements(wire.Raw(c.in), 3); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.claim, got, c.want)
		}
	}
}

package authserver

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// ParseFault returns the fault that a line of a table describes: the name of a
// function of this package, and its arguments after spaces. The last argument
// may have spaces; of a list, " & " stands between the parts; a fault among the
// arguments is written in the same way:
//
//	Set iss https://evil.example
//	Header Set typ "JWT"
//	AnswerHeader DPoP-Nonce n-1 & n-2
func ParseFault(text string) (Fault, error) {
	name, rest, _ := strings.Cut(text, " ")
	f := reflect.ValueOf(faultsByName[name])
	if !f.IsValid() {
		return Fault{}, fmt.Errorf("authserver: there is no fault %q", name)
	}
	var args []reflect.Value
	for i := range f.Type().NumIn() {
		arg := rest
		if i < f.Type().NumIn()-1 {
			arg, rest, _ = strings.Cut(rest, " ")
		}
		values, err := parseArgument(f.Type().In(i), arg)
		if err != nil {
			return Fault{}, fmt.Errorf("authserver: %s: %w", name, err)
		}
		args = append(args, values...)
	}
	return f.Call(args)[0].Interface().(Fault), nil
}

// parseArgument returns the values of one argument, which are several for a
// list.
func parseArgument(kind reflect.Type, text string) (values []reflect.Value, err error) {
	switch kind.Kind() {
	case reflect.Int, reflect.Int64:
		n, err := strconv.Atoi(text)
		return []reflect.Value{reflect.ValueOf(n).Convert(kind)}, err
	case reflect.Struct:
		edit, err := ParseFault(text)
		return []reflect.Value{reflect.ValueOf(edit)}, err
	case reflect.Slice:
		for part := range strings.SplitSeq(text, " & ") {
			if part != "" {
				values = append(values, reflect.ValueOf(strings.TrimPrefix(part, `""`)))
			}
		}
		return values, nil
	}
	return []reflect.Value{reflect.ValueOf(text)}, nil
}

// faultsByName are the functions that make faults.
var faultsByName = map[string]any{
	"Answer": Answer, "AnswerHeader": AnswerHeader, "Big": Big, "Busy": Busy,
	"Challenge": Challenge, "ContentType": ContentType, "Delay": Delay,
	"DemandFreshNonce": DemandFreshNonce, "DemandNonce": DemandNonce, "Drop": Drop,
	"EachKey": EachKey, "EchoJSON": EchoJSON, "EchoText": EchoText, "EmbeddedKey": EmbeddedKey,
	"Encrypted": Encrypted, "Endless": Endless, "Error": Error, "FormEncoded": FormEncoded,
	"GzipBomb": GzipBomb, "HTMLError": HTMLError, "HugeHeaders": HugeHeaders,
	"NoRotation": NoRotation, "OddKey": OddKey, "OtherKey": OtherKey,
	"OtherUsersCode": OtherUsersCode, "Padded": Padded, "Plain": Plain, "PlainBeside": PlainBeside,
	"Redirect": Redirect, "Rename": Rename, "Repeat": Repeat, "Reset": Reset, "Set": Set,
	"SignAs": SignAs, "Signed": Signed, "SignedUserInfo": SignedUserInfo, "Silent": Silent,
	"Slow": Slow, "Tampered": Tampered, "Truncated": Truncated,
	"Every": Every, "First": First, "Header": Header,
}

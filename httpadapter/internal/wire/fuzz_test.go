package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"testing"
)

// FuzzDecode holds the decoder against encoding/json: what we accept it reads
// alike, what we refuse is an Error that blames the caller, and what we made of a
// text is a text that we read alike.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"name":"a","age":1,"roles":["x"],"note":null,"actions":[{"action":"a"}],"any":{"b":[1,null]},"raw":[ 1 ]}`,
		`{"NAME":"\ud83d\ude00","extra":{"x":1e5}}`, `[1,2]`, `"\u0000"`, `{"kind":1,"\u212aind":2}`, `{"a":1,"a":2}`,
	} {
		f.Add([]byte(seed), false, false)
		f.Add([]byte(seed), true, true)
	}
	f.Fuzz(func(t *testing.T, data []byte, fold, refuse bool) {
		given := bytes.Clone(data)
		d := &Decoder{FoldNames: fold, RefuseUnknown: refuse, MaxItems: 50, MaxString: 100}
		var free any
		err := d.Unmarshal(data, &free)
		if err == nil {
			sameAsJSON(t, data, free)
		} else if !errors.As(err, new(*Error)) {
			t.Fatalf("Unmarshal(%q): %v is not an Error", data, err)
		}

		var got order
		structErr := d.Unmarshal(data, &got)
		if !bytes.Equal(data, given) {
			t.Fatalf("Unmarshal(%q) left %q", given, data)
		}
		if structErr != nil {
			if !errors.As(structErr, new(*Error)) {
				t.Fatalf("Unmarshal(%q): %v is not an Error", data, structErr)
			}
			return
		}
		if err != nil {
			t.Fatalf("Unmarshal(%q) into a struct accepts what an any refuses: %v", data, err)
		}
		if members, ok := free.(map[string]any); ok && !fold {
			if s, _ := members["name"].(string); s != got.Name {
				t.Fatalf("Unmarshal(%q).Name = %q, want %q", data, got.Name, s)
			}
			if _, set := members["note"]; set != got.Note.Set {
				t.Fatalf("Unmarshal(%q).Note.Set = %v, want %v", data, got.Note.Set, set)
			}
			if l, _ := members["roles"].([]any); len(l) != len(got.Roles) {
				t.Fatalf("Unmarshal(%q).Roles = %q, want %v", data, got.Roles, l)
			}
		}
		again(t, got)
	})
}

func sameAsJSON(t *testing.T, data []byte, ours any) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var theirs any
	if err := decoder.Decode(&theirs); err != nil || !json.Valid(data) {
		t.Fatalf("Unmarshal(%q) accepts what encoding/json refuses: %v", data, err)
	}
	if !reflect.DeepEqual(ours, theirs) {
		t.Fatalf("Unmarshal(%q) = %#v, encoding/json has %#v", data, ours, theirs)
	}
}

// again encodes what was decoded, and decodes that. It leaves out what is nil
// where null cannot be sent.
func again(t *testing.T, first order) {
	t.Helper()
	fill(&first)
	text, err := json.Marshal(first)
	if err != nil {
		t.Fatalf("Marshal(%#v): %v", first, err)
	}
	var second order
	// Numbers and white space may differ in length: only the depth is bounded here.
	if err := (&Decoder{RefuseUnknown: true}).Unmarshal(text, &second); err != nil {
		t.Fatalf("Unmarshal(%s) of our own text: %v", text, err)
	}
	fill(&second)
	twice, err := json.Marshal(second)
	if err != nil || !bytes.Equal(text, twice) {
		t.Fatalf("decoding %s gives %s, %v", text, twice, err)
	}
}

func fill(o *order) {
	o.Roles = List(o.Roles)
	o.Actions = List(o.Actions)
	if o.Extra == nil {
		o.Extra = map[string]any{}
	}
	for _, a := range o.Actions {
		if a.Next != nil {
			fill(a.Next)
		}
	}
}

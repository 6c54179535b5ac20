package storetest

import (
	"reflect"
	"strings"
	"time"

	"github.com/usermgmt-go/usermgmt/store"
)

// spoiled is a record with one fault.
type spoiled[R record] struct {
	what   string
	field  string // as the InvalidError names it
	record R
}

// spoil returns the i-th sample with each fault in turn that breaks a rule of the
// type: in every text, id, set and time of it, and those listed.
func (n noun[R]) spoil(i int) []spoiled[R] {
	var out []spoiled[R]
	for _, b := range n.broken {
		r := n.sample(i)
		b.spoil(&r)
		out = append(out, spoiled[R]{"a broken " + b.field, b.field, r})
	}
	return append(out, spoilFields(func() R { return n.sample(i) })...)
}

func spoilFields[R record](sample func() R) []spoiled[R] {
	var (
		out []spoiled[R]
		typ = reflect.TypeFor[R]()
		add = func(i int, what string, set func(reflect.Value)) {
			r := sample()
			set(reflect.ValueOf(&r).Elem().Field(i))
			field := typ.Field(i).Name
			switch field { // pairs of fields are named by one of them
			case "UsernameKey", "EmailKey":
				field = strings.TrimSuffix(field, "Key")
			case "MatchDomain":
				field = "Domain"
			}
			out = append(out, spoiled[R]{what + " in " + typ.Field(i).Name, field, r})
		}
		texts = map[string]string{
			"U+0000": "a\x00b", "invalid UTF-8": "a\xffb", "half a character": "a\xc3", "a surrogate": "\xed\xa0\x80",
		}
	)
	for i := range typ.NumField() {
		f := typ.Field(i)
		switch {
		case f.Type.Kind() == reflect.String:
			for what, s := range texts {
				add(i, what, func(v reflect.Value) { v.SetString(s) })
			}
			if f.Type != reflect.TypeFor[string]() { // an id
				add(i, "129 bytes", func(v reflect.Value) { v.SetString(long(store.MaxID + 1)) })
			}
		case f.Type.Kind() == reflect.Slice && f.Type.Elem().Kind() == reflect.Uint8:
			for what, s := range texts {
				add(i, what, func(v reflect.Value) { v.SetBytes([]byte(`"` + s + `"`)) })
			}
		case f.Type.Kind() == reflect.Slice && f.Type.Elem().Kind() == reflect.String:
			for what, s := range texts {
				add(i, what, func(v reflect.Value) { v.Index(v.Len() - 1).SetString(v.Index(v.Len()-1).String() + s) })
			}
			add(i, "wrong order", func(v reflect.Value) { v.Set(reflect.ValueOf([]string{"b", "a"})) })
			add(i, "a repeat", func(v reflect.Value) { v.Set(reflect.ValueOf([]string{"a", "a"})) })
			add(i, "an empty entry", func(v reflect.Value) { v.Set(reflect.ValueOf([]string{"", "a"})) })
		case f.Type == reflect.TypeFor[time.Time]():
			add(i, "nanoseconds", func(v reflect.Value) { v.Set(reflect.ValueOf(created.Add(1))) })
			add(i, "another zone", func(v reflect.Value) {
				v.Set(reflect.ValueOf(created.In(time.FixedZone("CET", 3600))))
			})
		}
	}
	return out
}

// long returns an id of so many bytes.
func long(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = 'a' + byte(i%26)
	}
	return string(b)
}

// scribble overwrites what every slice in *p points to, in place.
func scribble(p any) { scribbleValue(reflect.ValueOf(p).Elem()) }

func scribbleValue(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			if f := v.Field(i); f.Kind() == reflect.Slice {
				scribbleValue(f)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			e := v.Index(i)
			switch e.Kind() {
			case reflect.String:
				e.SetString("scribble")
			case reflect.Uint8:
				e.SetUint('#')
			case reflect.Struct:
				scribbleValue(e)
				if f := e.FieldByName("Permission"); f.IsValid() {
					f.SetString("scribble")
				}
			}
		}
	}
}

// hasSlices reports whether records of the type hold memory that can be shared.
func hasSlices[R any]() bool {
	typ := reflect.TypeFor[R]()
	for i := range typ.NumField() {
		if typ.Field(i).Type.Kind() == reflect.Slice {
			return true
		}
	}
	return false
}

// emptied returns the record with its slices empty but not nil, and with them nil.
func emptied[R any](r R) (empty, none R) {
	empty, none = r, r
	e, z := reflect.ValueOf(&empty).Elem(), reflect.ValueOf(&none).Elem()
	for i := range e.NumField() {
		if f := e.Field(i); f.Kind() == reflect.Slice {
			f.Set(reflect.MakeSlice(f.Type(), 0, 4))
			z.Field(i).SetZero()
		}
	}
	return empty, none
}

// timeFields returns the indexes of a type's moments.
func timeFields[R any]() []int {
	var is []int
	typ := reflect.TypeFor[R]()
	for i := range typ.NumField() {
		if typ.Field(i).Type == reflect.TypeFor[time.Time]() {
			is = append(is, i)
		}
	}
	return is
}

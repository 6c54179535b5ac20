package wire

import (
	"fmt"
	"reflect"
	"strings"
	"unicode"
)

// structFields is what the tags of a struct type say.
type structFields struct {
	fields []structField
}

type structField struct {
	name     string
	key      string // of the name, see Decoder.key
	index    int
	required bool
	notNull  bool
}

// Rules are what the wire tag of a field asks for, in a list as of
// `wire:"required,notnull"`.
type Rules struct {
	Required bool // the member must be present
	// NotNull: null is refused, where the type would take it. It is for an
	// [Optional] or a pointer that may be absent.
	NotNull bool
}

// RulesOf reads the tag. An unknown word in it is a mistake in the program.
func RulesOf(f reflect.StructField) (Rules, error) {
	var r Rules
	tag, ok := f.Tag.Lookup("wire")
	if !ok {
		return r, nil
	}
	for word := range strings.SplitSeq(tag, ",") {
		switch word {
		case "required":
			r.Required = true
		case "notnull":
			r.NotNull = true
		default:
			return r, fmt.Errorf("wire: field %s: unknown tag %q", f.Name, word)
		}
	}
	return r, nil
}

// key maps names that count as one and the same to one string.
func (d *Decoder) key(name string) string {
	if d.FoldNames {
		return foldName(name)
	}
	return name
}

func (d *Decoder) fieldsOf(t reflect.Type) (*structFields, error) {
	if known, ok := d.structs.Load(t); ok {
		return known.(*structFields), nil
	}
	known := &structFields{}
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			return nil, fmt.Errorf("wire: cannot decode into embedded field %v.%s", t, f.Name)
		}
		tag := f.Tag.Get("json")
		if !f.IsExported() || tag == "-" {
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		if name == "" {
			name = f.Name
		}
		if options == "string" {
			return nil, fmt.Errorf("wire: cannot decode into %v.%s: option string", t, f.Name)
		}
		rules, err := RulesOf(f)
		if err != nil {
			return nil, err
		}
		known.fields = append(known.fields, structField{
			name: name, key: d.key(name), index: i, required: rules.Required, notNull: rules.NotNull,
		})
	}
	d.structs.Store(t, known)
	return known, nil
}

// find returns the field of that name, or nil. Folding is of ASCII alone: the
// long s and the Kelvin sign are letters of their own.
func (k *structFields) find(name []byte, fold bool) *structField {
	if k == nil {
		return nil
	}
	for i := range k.fields {
		f := &k.fields[i]
		if f.name == string(name) || fold && equalASCIIFold(f.name, name) {
			return f
		}
	}
	return nil
}

func equalASCIIFold(a string, b []byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lowerASCII(a[i]) != lowerASCII(b[i]) {
			return false
		}
	}
	return true
}

func lowerASCII(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// foldName maps names that differ in case alone, of any script, to one.
func foldName(name string) string {
	return strings.Map(func(r rune) rune {
		for { // the smallest of the runes that fold into each other
			next := unicode.SimpleFold(r)
			if next <= r {
				return next
			}
			r = next
		}
	}, name)
}

// nameSet holds the names of one object.
type nameSet struct {
	few  []string
	many map[string]struct{} // once there are more than a few
}

const fewNames = 16

func (s *nameSet) has(name string) bool {
	if s.many != nil {
		_, ok := s.many[name]
		return ok
	}
	for _, n := range s.few {
		if n == name {
			return true
		}
	}
	return false
}

// add tells whether name is new.
func (s *nameSet) add(name string) bool {
	if s.has(name) {
		return false
	}
	if s.many == nil && len(s.few) < fewNames {
		s.few = append(s.few, name)
		return true
	}
	if s.many == nil {
		s.many = make(map[string]struct{}, 2*fewNames)
		for _, n := range s.few {
			s.many[n] = struct{}{}
		}
	}
	s.many[name] = struct{}{}
	return true
}

package openapi

import (
	"encoding/json"
	"reflect"
	"strings"

	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

// builder collects the schemas of named types.
type builder struct {
	schemas object
}

// use says what a schema is for.
type use struct {
	// request: it is decoded, so that members are there, and not null, if their
	// tags say so; otherwise it is encoded, and all are there but those that are
	// left out when empty.
	request bool
	// strict: no other members are admitted.
	strict bool
}

// schema returns the schema of v's type. Structs with a name are components, to
// which it refers.
func (b *builder) schema(v any, u use) object { return b.of(reflect.TypeOf(v), u) }

func (b *builder) of(t reflect.Type, u use) object {
	switch t.Kind() {
	case reflect.Pointer:
		return nullable(b.of(t.Elem(), u))
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return object{"type": "integer"}
	case reflect.Float32, reflect.Float64:
		return object{"type": "number"}
	case reflect.String:
		return object{"type": "string"}
	case reflect.Slice, reflect.Array:
		if t == reflect.TypeFor[json.RawMessage]() {
			return object{}
		}
		return object{"type": "array", "items": b.of(t.Elem(), u)}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": b.of(t.Elem(), u)}
	case reflect.Struct:
		if inner, ok := wire.OptionalType(t); ok {
			return nullable(b.of(inner, u))
		}
		return b.component(t, u)
	}
	return object{} // anything
}

// component returns a reference to the type's schema, which it adds if it is new.
func (b *builder) component(t reflect.Type, u use) object {
	if t.Name() == "" {
		return b.structure(t, u)
	}
	name := componentName(t, u)
	if _, ok := b.schemas[name]; !ok {
		b.schemas[name] = nil // a type within itself refers to what is to come
		b.schemas[name] = b.structure(t, u)
	}
	return object{"$ref": "#/components/schemas/" + name}
}

func (b *builder) structure(t reflect.Type, u use) object {
	properties, required := object{}, []string{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || name == "-" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		kind := f.Type
		always := !strings.Contains(options, "omitempty") && !strings.Contains(options, "omitzero")
		if u.request {
			rules, _ := wire.RulesOf(f) // the decoder refuses what it does not know
			always = rules.Required
			if rules.NotNull {
				kind = notNull(kind)
			}
		}
		properties[name] = b.of(kind, u)
		if always {
			required = append(required, name)
		}
	}
	s := object{"type": "object", "properties": properties}
	if len(required) > 0 {
		s["required"] = required
	}
	if u.strict {
		s["additionalProperties"] = false
	}
	return s
}

// componentName is package.Type, or Type for those that all mounts share. What
// is decoded is a …Request, so that a type may serve both ways.
func componentName(t reflect.Type, u use) string {
	name := strings.ToUpper(t.Name()[:1]) + t.Name()[1:]
	if u.request && !strings.HasSuffix(name, "Request") {
		name += "Request"
	}
	pkg := t.PkgPath()[strings.LastIndex(t.PkgPath(), "/")+1:]
	if pkg == "wire" || pkg == "usermgmt" {
		return name
	}
	return pkg + "." + name
}

// notNull is the type of the values that t holds but for null.
func notNull(t reflect.Type) reflect.Type {
	if inner, ok := wire.OptionalType(t); ok {
		return inner
	}
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}

// nullable admits null too.
func nullable(s object) object {
	switch kind := s["type"].(type) {
	case string:
		s["type"] = []string{kind, "null"}
		return s
	case []string:
		return s
	}
	if len(s) == 0 {
		return s
	}
	return object{"anyOf": []object{s, {"type": "null"}}}
}

package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
)

var (
	rawType    = reflect.TypeFor[json.RawMessage]()
	numberType = reflect.TypeFor[json.Number]()
	objectType = reflect.TypeFor[map[string]any]()
	arrayType  = reflect.TypeFor[[]any]()
)

// value takes any value and stores it in dst. The zero dst takes all and keeps
// nothing, but every rule holds.
func (p *parser) value(dst reflect.Value) error {
	if dst.IsValid() {
		switch kind := dst.Kind(); {
		case dst.Type() == rawType:
			start := p.pos
			if err := p.value(reflect.Value{}); err != nil {
				return err
			}
			dst.SetBytes(append([]byte(nil), p.data[start:p.pos]...))
			return nil
		case kind == reflect.Struct:
			if s, ok := dst.Addr().Interface().(slot); ok {
				null := p.peek() == 'n'
				value := s.fill(null)
				if null {
					return p.literal("null")
				}
				return p.value(reflect.ValueOf(value).Elem())
			}
		case kind == reflect.Pointer && p.peek() != 'n':
			dst.Set(reflect.New(dst.Type().Elem()))
			return p.value(dst.Elem())
		case kind == reflect.Pointer, kind == reflect.Interface && p.peek() == 'n':
			dst.SetZero()
			return p.literal("null")
		}
		if _, err := wanted(dst.Type()); err != nil {
			return err
		}
	}
	switch c := p.peek(); {
	case c == '{':
		return p.object(dst)
	case c == '[':
		return p.array(dst)
	case c == '"':
		return p.text(dst)
	case c == 't', c == 'f':
		return p.boolean(dst)
	case c == '-', '0' <= c && c <= '9':
		return p.numeric(dst)
	case c == 'n':
		if dst.IsValid() {
			return p.mismatch(dst)
		}
		return p.literal("null")
	}
	return p.malformed("expected a value")
}

func (p *parser) object(dst reflect.Value) error {
	var known *structFields
	into := dst // the map, if it is one
	if dst.IsValid() {
		switch dst.Kind() {
		case reflect.Struct:
			var err error
			if known, err = p.decoder.fieldsOf(dst.Type()); err != nil {
				return err
			}
		case reflect.Map:
			dst.Set(reflect.MakeMap(dst.Type()))
		case reflect.Interface:
			into = reflect.MakeMap(objectType)
			dst.Set(into)
		default:
			return p.mismatch(dst)
		}
	}
	if err := p.enter(); err != nil {
		return err
	}
	var seen nameSet
	for n := 0; ; n++ {
		p.space()
		if n == 0 && p.peek() == '}' {
			break
		}
		if p.peek() != '"' {
			return p.malformed("expected a member")
		}
		p.inName = true
		raw, err := p.str()
		if err != nil {
			return err
		}
		p.inName = false
		if n >= p.maxItems {
			return p.errorf("must not have more than %d members", p.maxItems)
		}
		field := known.find(raw, p.decoder.FoldNames)
		var name, key string
		if field != nil {
			name, key = field.name, field.key
		} else {
			name = string(raw)
			key = p.decoder.key(name)
		}
		p.path = append(p.path, step{name: &name})
		if !seen.add(key) {
			return p.errorf("must not be given twice")
		}
		if known != nil && field == nil && p.decoder.RefuseUnknown {
			return p.errorf("is not known here")
		}
		p.space()
		if p.peek() != ':' {
			return p.malformed("expected a colon")
		}
		p.pos++
		p.space()
		var member reflect.Value
		switch {
		case field != nil:
			member = dst.Field(field.index)
			if field.notNull && p.peek() == 'n' {
				return p.mismatch(member)
			}
		case into.IsValid() && known == nil:
			member = reflect.New(into.Type().Elem()).Elem()
		}
		if err := p.value(member); err != nil {
			return err
		}
		if member.IsValid() && field == nil {
			into.SetMapIndex(reflect.ValueOf(name).Convert(into.Type().Key()), member)
		}
		more, err := p.next('}')
		if err != nil {
			return err
		}
		p.path = p.path[:len(p.path)-1]
		if !more {
			break
		}
	}
	p.leave()
	return p.complete(known, &seen)
}

// complete asks for the required members.
func (p *parser) complete(known *structFields, seen *nameSet) error {
	if known == nil {
		return nil
	}
	for i := range known.fields {
		if f := &known.fields[i]; f.required && !seen.has(f.key) {
			p.path = append(p.path, step{name: &f.name})
			return p.errorf("is required")
		}
	}
	return nil
}

func (p *parser) array(dst reflect.Value) error {
	into := dst // the slice
	if dst.IsValid() {
		switch dst.Kind() {
		case reflect.Slice:
			dst.Set(reflect.MakeSlice(dst.Type(), 0, 0))
		case reflect.Interface:
			into = reflect.New(arrayType).Elem()
			into.Set(reflect.MakeSlice(arrayType, 0, 0))
		default:
			return p.mismatch(dst)
		}
	}
	if err := p.enter(); err != nil {
		return err
	}
	p.path = append(p.path, step{})
	for n := 0; ; n++ {
		p.space()
		if n == 0 && p.peek() == ']' {
			break
		}
		p.path[len(p.path)-1].index = n
		if n >= p.maxItems {
			p.path = p.path[:len(p.path)-1]
			return p.errorf("must not have more than %d elements", p.maxItems)
		}
		var element reflect.Value
		if into.IsValid() {
			into.Grow(1)
			into.SetLen(n + 1)
			element = into.Index(n)
		}
		if err := p.value(element); err != nil {
			return err
		}
		more, err := p.next(']')
		if err != nil {
			return err
		}
		if !more {
			break
		}
	}
	p.path = p.path[:len(p.path)-1]
	p.leave()
	if dst.IsValid() && dst.Kind() == reflect.Interface {
		dst.Set(into)
	}
	return nil
}

// next tells whether a comma follows rather than the end, and takes the comma.
func (p *parser) next(end byte) (bool, error) {
	p.space()
	switch p.peek() {
	case ',':
		p.pos++
		return true, nil
	case end:
		return false, nil
	}
	return false, p.malformed("expected a comma or the end")
}

func (p *parser) enter() error {
	if p.depth++; p.depth > p.maxDepth {
		return p.errorf("must not be nested deeper than %d levels", p.maxDepth)
	}
	p.pos++
	return nil
}

func (p *parser) leave() {
	p.depth--
	p.pos++
}

func (p *parser) text(dst reflect.Value) error {
	if dst.IsValid() && (dst.Kind() != reflect.String || dst.Type() == numberType) && dst.Kind() != reflect.Interface {
		return p.mismatch(dst)
	}
	s, err := p.str()
	if err != nil || !dst.IsValid() {
		return err
	}
	if dst.Kind() == reflect.Interface {
		dst.Set(reflect.ValueOf(string(s)))
		return nil
	}
	dst.SetString(string(s))
	return nil
}

func (p *parser) boolean(dst reflect.Value) error {
	yes := p.peek() == 't'
	word := "false"
	if yes {
		word = "true"
	}
	if dst.IsValid() && dst.Kind() != reflect.Bool && dst.Kind() != reflect.Interface {
		return p.mismatch(dst)
	}
	if err := p.literal(word); err != nil || !dst.IsValid() {
		return err
	}
	if dst.Kind() == reflect.Interface {
		dst.Set(reflect.ValueOf(yes))
		return nil
	}
	dst.SetBool(yes)
	return nil
}

func (p *parser) numeric(dst reflect.Value) error {
	text, err := p.number()
	if err != nil || !dst.IsValid() {
		return err
	}
	switch {
	case dst.Kind() == reflect.Interface:
		dst.Set(reflect.ValueOf(json.Number(text)))
	case dst.Type() == numberType:
		dst.SetString(text)
	case dst.CanInt():
		n, err := strconv.ParseInt(text, 10, dst.Type().Bits())
		if err != nil {
			return p.notInteger(dst, err)
		}
		dst.SetInt(n)
	case dst.CanUint():
		n, err := strconv.ParseUint(text, 10, dst.Type().Bits())
		if err != nil {
			return p.notInteger(dst, err)
		}
		dst.SetUint(n)
	case dst.CanFloat():
		f, err := strconv.ParseFloat(text, dst.Type().Bits())
		if err != nil {
			return p.errorf("must be in the range of a number")
		}
		dst.SetFloat(f)
	default:
		return p.mismatch(dst)
	}
	return nil
}

func (p *parser) notInteger(dst reflect.Value, err error) error {
	if errors.Is(err, strconv.ErrRange) {
		return p.errorf("must be an integer of at most %d bits", dst.Type().Bits())
	}
	if dst.CanUint() {
		return p.errorf("must be an integer from 0")
	}
	return p.mismatch(dst)
}

func (p *parser) mismatch(dst reflect.Value) error {
	t := dst.Type()
	if inner, ok := OptionalType(t); ok { // null where the tag refuses it
		t = inner
	} else if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	want, err := wanted(t)
	if err != nil {
		return err
	}
	return p.errorf("must be %s", want)
}

// wanted names the JSON that a destination takes. An error is a mistake in the
// program: the type is not among those of [Decoder].
func wanted(t reflect.Type) (string, error) {
	switch {
	case t == numberType:
		return "a number", nil
	case t.Kind() == reflect.String:
		return "a string", nil
	case t.Kind() == reflect.Bool:
		return "true or false", nil
	case reflect.Int <= t.Kind() && t.Kind() <= reflect.Uint64:
		return "an integer", nil
	case t.Kind() == reflect.Float32, t.Kind() == reflect.Float64:
		return "a number", nil
	case t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8:
		return "an array", nil
	case t.Kind() == reflect.Struct, t.Kind() == reflect.Map && t.Key().Kind() == reflect.String:
		return "an object", nil
	case t.Kind() == reflect.Interface && t.NumMethod() == 0:
		return "a value", nil
	}
	return "", fmt.Errorf("wire: cannot decode into %v", t)
}

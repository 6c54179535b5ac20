package wire

import (
	"encoding/json"
	"reflect"
)

// Optional tells an absent member, an explicit null and a value apart. The zero
// Optional is absent, and left out by the tag option omitzero.
type Optional[T any] struct {
	Value T    // zero unless Set and not Null
	Set   bool // the member was there, null or not
	Null  bool // it was null
}

// Some is a present value.
func Some[T any](v T) Optional[T] { return Optional[T]{Value: v, Set: true} }

// Get returns the value, and whether there is one: neither absent nor null.
func (o Optional[T]) Get() (T, bool) { return o.Value, o.Set && !o.Null }

// Or returns the value, or v if there is none.
func (o Optional[T]) Or(v T) T {
	if o.Set && !o.Null {
		return o.Value
	}
	return v
}

// MarshalJSON writes the value, or null if there is none.
func (o Optional[T]) MarshalJSON() ([]byte, error) {
	if v, ok := o.Get(); ok {
		return json.Marshal(v)
	}
	return []byte("null"), nil
}

// UnmarshalJSON serves encoding/json; a [Decoder] does without it.
func (o *Optional[T]) UnmarshalJSON(data []byte) error {
	*o = Optional[T]{Set: true}
	if string(data) == "null" {
		o.Null = true
		return nil
	}
	return json.Unmarshal(data, &o.Value)
}

// slot is how a Decoder fills an Optional of a T it cannot name.
type slot interface {
	fill(null bool) (value any)
}

func (o *Optional[T]) fill(null bool) any {
	*o = Optional[T]{Set: true, Null: null}
	return &o.Value
}

// OptionalType returns T for the type Optional[T], and whether t is one.
func OptionalType(t reflect.Type) (reflect.Type, bool) {
	if !reflect.PointerTo(t).Implements(reflect.TypeFor[slot]()) {
		return nil, false
	}
	return t.Field(0).Type, true
}

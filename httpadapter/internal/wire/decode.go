package wire

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// Decoder reads request bodies as strict JSON. The zero Decoder works; its
// fields are set before the first use, and then it may be used concurrently.
//
// Strict means, beyond RFC 8259: one value and nothing behind it; no member
// twice; valid UTF-8 without halves of surrogate pairs or U+0000; member names
// exactly as the json tag has them; no conversion of types; integers without
// fraction or exponent; null only where the destination can tell it (a pointer,
// an [Optional], an any). Unknown members are checked like the others, and then
// ignored. Every refusal is an [Error] that names the member by its path.
//
// Destinations are structs, strings, booleans, numbers, slices, maps with string
// keys, pointers, Optional, any (numbers become [encoding/json.Number]) and
// [encoding/json.RawMessage]; no embedded fields. Fields have [Rules] by their
// tag: one tagged `wire:"required"` must be present, and one tagged
// `wire:"notnull"` may be absent but not null.
type Decoder struct {
	MaxBytes  int64 // of a body; 0: 64 KiB
	MaxDepth  int   // of nested arrays and objects; 0: 32
	MaxItems  int   // elements of one array, members of one object; 0: 1,000
	MaxString int   // bytes of one string, decoded; 0: 16 KiB
	// RefuseUnknown makes an unknown member a 400.
	RefuseUnknown bool
	// FoldNames matches member names without regard to ASCII case. Then names
	// that differ in case alone, of any script, are duplicates.
	FoldNames bool

	structs sync.Map // reflect.Type to *structFields: what the tags say, read once
}

const (
	defaultMaxBytes  = 64 << 10
	defaultMaxDepth  = 32
	defaultMaxItems  = 1_000
	defaultMaxString = 16 << 10
)

// Media types for [Decoder.Read].
const (
	mediaJSON = "application/json"
	MediaText = "text/plain"
	MediaForm = "application/x-www-form-urlencoded"
)

var errEmptyBody = &Error{Kind: Invalid, Detail: "body must not be empty"}

// Decode reads the body of r, which must be there and be JSON, into dst, a
// pointer to a zero value. After an error what dst holds is without meaning. An
// error that is no [Error] means that dst is of a type that cannot be decoded.
func (d *Decoder) Decode(w http.ResponseWriter, r *http.Request, dst any) error {
	data, _, err := d.Read(w, r)
	if err != nil {
		return err
	}
	return d.Unmarshal(data, dst)
}

// Read returns the body of r, empty if it has none, and its media type. That is
// JSON or one of also; no Content-Type means JSON. Other types, charsets but
// UTF-8 and content codings are 415, too many bytes 413, without reading more
// than the limit.
func (d *Decoder) Read(w http.ResponseWriter, r *http.Request, also ...string) ([]byte, string, error) {
	media, err := mediaType(r.Header)
	if err != nil {
		return nil, "", err
	}
	if media != mediaJSON && !slices.Contains(also, media) {
		return nil, "", Errorf(UnsupportedMedia, "Content-Type must be %s", strings.Join(append([]string{mediaJSON}, also...), " or "))
	}
	limit := or(d.MaxBytes, defaultMaxBytes)
	if r.ContentLength > limit {
		return nil, "", Errorf(TooLarge, "body must not exceed %d bytes", limit)
	}
	if r.Body == nil {
		return nil, media, nil
	}
	data, err := io.ReadAll(http.MaxBytesReader(innermost(w), r.Body, limit))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return nil, "", Errorf(TooLarge, "body must not exceed %d bytes", limit)
	}
	if err != nil {
		return nil, "", &Error{Kind: Invalid, Detail: "body could not be read", Cause: err}
	}
	return data, media, nil
}

// Unmarshal is Decode for a body that was read; white space alone is no body.
func (d *Decoder) Unmarshal(data []byte, dst any) error {
	v := reflect.ValueOf(dst)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return errors.New("wire: destination is not a pointer")
	}
	p := parser{
		data: data, decoder: d,
		maxDepth:  or(d.MaxDepth, defaultMaxDepth),
		maxItems:  or(d.MaxItems, defaultMaxItems),
		maxString: or(d.MaxString, defaultMaxString),
	}
	p.space()
	if p.pos == len(data) {
		return errEmptyBody
	}
	if err := p.value(v.Elem()); err != nil {
		return err
	}
	p.space()
	if p.pos != len(data) {
		return p.malformed("data after the value")
	}
	return nil
}

// Text checks a body that is not JSON: valid UTF-8 without U+0000.
func Text(data []byte) (string, error) {
	switch {
	case len(data) == 0:
		return "", errEmptyBody
	case !utf8.Valid(data):
		return "", Invalidf("", "body must be valid UTF-8")
	case slices.Contains(data, 0):
		return "", Invalidf("", "body must not contain U+0000")
	}
	return string(data), nil
}

func mediaType(h http.Header) (string, error) {
	for _, coding := range h["Content-Encoding"] {
		if coding != "" && !strings.EqualFold(coding, "identity") {
			return "", Errorf(UnsupportedMedia, "Content-Encoding is not supported")
		}
	}
	values := h["Content-Type"]
	if len(values) == 0 || len(values) == 1 && values[0] == "" {
		return mediaJSON, nil
	}
	media, params, err := mime.ParseMediaType(values[0])
	if err != nil || len(values) > 1 {
		return "", Errorf(UnsupportedMedia, "Content-Type is malformed")
	}
	if charset, ok := params["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
		return "", Errorf(UnsupportedMedia, "charset must be utf-8")
	}
	return media, nil
}

func or[T int | int64](v, fallback T) T {
	if v > 0 {
		return v
	}
	return fallback
}

package usermgmt

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"unicode/utf8"
)

// maxAttributes bounds a user's attributes, in bytes.
const maxAttributes = 32 << 10

// canonicalAttributes brings a JSON object into the form in which it is kept.
func canonicalAttributes(raw json.RawMessage) (json.RawMessage, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	if len(raw) > maxAttributes {
		return nil, invalid("attributes", "must have at most 32 KiB")
	}
	if err := checkJSON(raw); err != nil {
		return nil, invalid("attributes", err.Error())
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var object map[string]any
	if err := d.Decode(&object); err != nil || d.More() {
		return nil, invalid("attributes", "must be a JSON object")
	}
	if len(object) == 0 {
		return nil, nil
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(object); err != nil {
		return nil, invalid("attributes", "must be a JSON object")
	}
	kept := bytes.TrimSpace(out.Bytes())
	if len(kept) > maxAttributes { // U+2028 and U+2029 are kept as escapes, which are longer
		return nil, invalid("attributes", "must have at most 32 KiB")
	}
	return kept, nil
}

// checkJSON requires UTF-8 without U+0000, and a depth of at most 32.
func checkJSON(raw []byte) error {
	if bytes.Contains(raw, []byte(`\u0000`)) {
		return errors.New("must not contain U+0000")
	}
	if !utf8.Valid(raw) {
		return errors.New("must be valid UTF-8")
	}
	depth := 0
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber() // as it is kept: 1e400 is a number too
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return errors.New("must be a JSON object")
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			if depth++; depth > 32 {
				return errors.New("must not be nested deeper than 32")
			}
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
	}
}

// tagSet validates tags and makes them a set.
func tagSet(tags []string) ([]string, error) {
	if len(tags) > 100 {
		return nil, invalid("tags", "must have at most 100 entries")
	}
	for _, t := range tags {
		if t == "" {
			return nil, invalid("tags", "must not hold an empty entry")
		}
		if err := checkText("tags", t, 128); err != nil {
			return nil, err
		}
	}
	return sortedSet(slices.Clone(tags)), nil
}

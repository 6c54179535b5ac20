package usermgmt

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxEntry is how many bytes of JSON one entry of a streamed Snapshot has at
// most, its members and API keys aside if it is an organization.
const maxEntry = 16 << 20

var errEntryTooLong = errors.New("is longer than 16 MiB")

// snapshotReader reads a Snapshot's JSON form value by value, and holds no more
// than one of them.
type snapshotReader struct {
	d     *json.Decoder
	input *meter
}

func newSnapshotReader(r io.Reader) *snapshotReader {
	input := &meter{r: r}
	d := json.NewDecoder(input)
	d.DisallowUnknownFields()
	return &snapshotReader{d: d, input: input}
}

// meter lets the decoder read so far and no further: it reads only when what it
// has is not a whole value.
type meter struct {
	r           io.Reader
	read, until int64
	// failure is what ended the reading, but for the end of the input.
	failure error
}

func (m *meter) Read(p []byte) (int, error) {
	if m.read >= m.until {
		m.failure = errEntryTooLong
		return 0, m.failure
	}
	n, err := m.r.Read(p[:min(int64(len(p)), m.until-m.read)])
	m.read += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		m.failure = err
	}
	return n, err
}

// offset is how many bytes of the input have been consumed.
func (r *snapshotReader) offset() int64 { return r.d.InputOffset() }

// next makes room for one more value.
func (r *snapshotReader) next() { r.input.until = r.offset() + maxEntry }

// fault says what an error of the decoder is: one of the reader's, which comes
// back as it is, or of the document.
func (r *snapshotReader) fault(err error) error {
	switch failure := r.input.failure; {
	case errors.Is(failure, errEntryTooLong):
		return invalid("snapshot", failure.Error())
	case failure != nil:
		return fmt.Errorf("read snapshot: %w", failure)
	}
	if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
		// The decoder's own offset leaves out what was read token by token.
		return invalid("snapshot", fmt.Sprintf("is not JSON after byte %d", r.offset()))
	}
	return invalid("snapshot", jsonFault(err))
}

// more reports whether the object or list goes on. What is wrong with it, the
// next call of another method tells.
func (r *snapshotReader) more() bool {
	r.next()
	return r.d.More()
}

// open begins an object or list. It reports false for null, which stands for
// an empty one.
func (r *snapshotReader) open(d json.Delim) (bool, error) {
	r.next()
	t, err := r.d.Token()
	switch {
	case err != nil:
		return false, r.fault(err)
	case t == nil:
		return false, nil
	case t == d:
		return true, nil
	case d == '{':
		return false, invalid("snapshot", "must hold an object here")
	}
	return false, invalid("snapshot", "must hold a list here")
}

// close ends an object or list that has no more.
func (r *snapshotReader) close() error {
	r.next()
	if _, err := r.d.Token(); err != nil {
		return r.fault(err)
	}
	return nil
}

// name reads the name of an object's next member.
func (r *snapshotReader) name() (string, error) {
	r.next()
	t, err := r.d.Token()
	if err != nil {
		return "", r.fault(err)
	}
	name, _ := t.(string) // nothing else passes for a name
	return name, nil
}

// value reads the next value into v.
func (r *snapshotReader) value(v any) error {
	r.next()
	if err := r.d.Decode(v); err != nil {
		return r.fault(err)
	}
	return nil
}

// end requires that nothing follows.
func (r *snapshotReader) end() error {
	r.next()
	_, err := r.d.Token()
	switch {
	case errors.Is(err, io.EOF) && r.input.failure == nil:
		return nil
	case r.input.failure != nil:
		return r.fault(err)
	}
	return errTrailing()
}

// organizationHead reads an organization up to its members and keys, or to its
// end if it has neither. inner is which of the two is open then, if any.
func (r *snapshotReader) organizationHead() (o SnapshotOrganization, inner string, err error) {
	if ok, err := r.open('{'); err != nil || !ok {
		return o, "", err
	}
	var head bytes.Buffer
	head.WriteByte('{')
	for r.more() {
		name, err := r.name()
		if err != nil {
			return o, "", err
		}
		if inner = innerList(name); inner != "" {
			break
		}
		var raw json.RawMessage
		if err := r.value(&raw); err != nil {
			return o, "", err
		}
		if head.Len()+len(raw) > maxEntry {
			return o, "", invalid("snapshot", errEntryTooLong.Error())
		}
		quoted, err := json.Marshal(name)
		if err != nil {
			return o, "", err
		}
		if head.Len() > 1 {
			head.WriteByte(',')
		}
		head.Write(quoted)
		head.WriteByte(':')
		head.Write(raw)
	}
	head.WriteByte('}')
	d := json.NewDecoder(&head)
	d.DisallowUnknownFields()
	if err := d.Decode(&o); err != nil {
		return o, "", invalid("snapshot", jsonFault(err))
	}
	if inner == "" {
		err = r.close()
	}
	return o, inner, err
}

// innerNext reads the name of what follows a list of an organization: the other
// list, or nothing, which ends the organization.
func (r *snapshotReader) innerNext(after string) (string, error) {
	if !r.more() {
		return "", r.close()
	}
	name, err := r.name()
	if err != nil {
		return "", err
	}
	inner := innerList(name)
	if inner == "apiKeys" && after == "members" {
		return inner, nil
	}
	if inner != "" {
		return "", invalid("snapshot", fmt.Sprintf("must have members before apiKeys, and each once, not %s after %s", inner, after))
	}
	return "", invalid("snapshot", fmt.Sprintf("has %q after %s, which has to come before it, or be no member at all", name, after))
}

// innerList returns the name of the list of an organization that a member is,
// empty for another member. Case counts as little as for other members.
func innerList(name string) string {
	for _, list := range []string{"members", "apiKeys"} {
		if strings.EqualFold(name, list) {
			return list
		}
	}
	return ""
}

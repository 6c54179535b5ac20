package usermgmt

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
)

// ExportTo writes what [Manager.Export] returns, in the JSON form that
// [ParseSnapshot] and [Manager.ApplyFrom] read, and holds no more of it in
// memory than a page of 500 entries. It is one entry to a line, of one moment,
// and in an order in which everything is there before it is named: users before
// members, active owners before those who join them. It is a secret, as Export
// is, and the host's and the realm's administrators'.
//
// The one moment is kept for as long as the export takes, w included. Meanwhile
// an SQLite file's log grows by what others write, a PostgreSQL keeps rows that
// others have removed, and one connection is taken; a memory store lets nobody
// write. So w should be fast, and must not wait for a write to this store.
//
// After an error, w has the beginning of a Snapshot, which nothing reads to its end.
func (m *Manager) ExportTo(ctx context.Context, w io.Writer, opts *StreamOptions) error {
	o, err := opts.complete()
	if err != nil {
		return err
	}
	out := snapshotWriter{w: bufio.NewWriterSize(w, 64<<10)}
	out.encoder = json.NewEncoder(&out.buf)
	out.encoder.SetEscapeHTML(false)
	var done StreamProgress
	err = m.export(ctx, func(entry any) error {
		if err := out.put(entry); err != nil {
			return err
		}
		if done.count(entry); done.all()%batch == 0 {
			o.Progress(done)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := out.end(); err != nil {
		return err
	}
	o.Progress(done)
	return nil
}

// snapshotWriter writes a Snapshot's JSON form entry by entry.
type snapshotWriter struct {
	w       *bufio.Writer
	encoder *json.Encoder // to buf
	buf     bytes.Buffer
	// list is the list that is open, inner that of its last organization if
	// that one is still open; both are empty for none.
	list, inner  string
	organization bool
}

// put writes an entry as export gives it.
func (s *snapshotWriter) put(entry any) error {
	switch entry.(type) {
	case Permission:
		return s.entry("permissions", entry)
	case SnapshotTenant:
		return s.entry("tenants", entry)
	case SnapshotRole:
		return s.entry("roles", entry)
	case SnapshotUser:
		return s.entry("users", entry)
	case SnapshotVendor:
		return s.entry("vendors", entry)
	case SnapshotOrganization:
		return s.entry("organizations", entry)
	case SnapshotMember:
		return s.innerEntry("members", entry)
	case SnapshotKey:
		return s.innerEntry("apiKeys", entry)
	case SnapshotUserGrants:
		return s.entry("grants", entry)
	}
	return fmt.Errorf("a Snapshot has no list of %T", entry)
}

// entry writes an entry of one of the Snapshot's own lists. An organization
// stays open for its members and keys.
func (s *snapshotWriter) entry(list string, entry any) error {
	s.closeOrganization()
	switch s.list {
	case list:
		s.w.WriteString(",\n")
	case "":
		s.w.WriteString(`{"` + list + `":[` + "\n")
	default:
		s.w.WriteString("],\n" + `"` + list + `":[` + "\n")
	}
	s.list = list
	_, s.organization = entry.(SnapshotOrganization)
	return s.write(entry, s.organization)
}

// innerEntry writes an entry of a list of the open organization.
func (s *snapshotWriter) innerEntry(list string, entry any) error {
	switch s.inner {
	case list:
		s.w.WriteString(",\n ")
	case "":
		s.w.WriteString(`,"` + list + `":[` + "\n ")
	default:
		s.w.WriteString(`],"` + list + `":[` + "\n ")
	}
	s.inner = list
	return s.write(entry, false)
}

func (s *snapshotWriter) closeOrganization() {
	if s.inner != "" {
		s.w.WriteByte(']')
	}
	if s.organization {
		s.w.WriteByte('}')
	}
	s.inner, s.organization = "", false
}

// write writes an entry, without its closing brace if it is to stay open. An
// error of the writer stays with it, and is that of every later call.
func (s *snapshotWriter) write(entry any, open bool) error {
	s.buf.Reset()
	if err := s.encoder.Encode(entry); err != nil {
		return err
	}
	text := bytes.TrimSuffix(s.buf.Bytes(), []byte("\n"))
	if open {
		text = bytes.TrimSuffix(text, []byte("}"))
	}
	_, err := s.w.Write(text)
	return writing(err)
}

func (s *snapshotWriter) end() error {
	s.closeOrganization()
	if s.list == "" {
		s.w.WriteByte('{')
	} else {
		s.w.WriteByte(']')
	}
	s.w.WriteString("}\n")
	return writing(s.w.Flush())
}

func writing(err error) error {
	if err != nil {
		return fmt.Errorf("write snapshot: %w", err)
	}
	return nil
}

package usermgmt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// maxBatchBytes ends a batch of entries that are long.
const maxBatchBytes = 1 << 20

// ApplyFrom applies a Snapshot's JSON form while it reads it, in units of work
// of at most opts.Batch entries and about 1 MiB of JSON, and holds no more of it
// in memory than one of those. So it is not whole or not at all, as
// [Manager.Apply] is: after an error, what came before stays, and others see it
// grow meanwhile. Applying the same again goes on from there: what is there
// already is read, found equal and not written, and the end is the same as if
// nothing had happened. Only on a Manager that has joined a transaction (see
// [Manager.With]) all units are in that one.
//
// A stream is applied in the order in which it is written, which [Manager.ExportTo]
// and the JSON form of a Snapshot value have: permissions, tenants, roles, users,
// vendors, organizations, grants; and of an organization members and then API
// keys, after all else. Another order is refused. An organization of more members
// than a batch has should begin with an active owner: nobody joins one whose only
// owners are disabled, whoever may come later. Roles at listed organizations
// that are written with the users, and not among grants, are held in memory
// until the organizations have been read.
//
// Unknown members, and anything after the object, are refused with an
// [*InvalidError] when they are met, and so are entries of more than 16 MiB.
// Errors name the entry as those of Apply do, counted from the beginning of the
// stream. It is the host's and the realm's administrators'; who is neither is
// refused before anything is read. A done context ends it before the next unit
// of work, but not a Read of r.
func (m *Manager) ApplyFrom(ctx context.Context, r io.Reader, opts *StreamOptions) error {
	o, err := opts.complete()
	if err != nil {
		return err
	}
	if err := m.weigh(ctx, func(g *guard) error { return g.needAll(ctx, All) }); err != nil {
		return err
	}
	s := applyStream{m: m, in: newSnapshotReader(r), opts: o}
	if err := s.snapshot(ctx); err != nil {
		return err
	}
	o.Progress(s.done)
	return nil
}

// applyStream is a Snapshot being applied while it is read.
type applyStream struct {
	m    *Manager
	in   *snapshotReader
	opts StreamOptions
	// read counts what has been read, done what has been applied, commits the
	// units of work.
	read, done StreamProgress
	commits    int

	// batch is what has been read and not applied: size entries, which began at
	// the offset from. They are of one list of the Snapshot.
	batch part
	size  int
	from  int64
	late  []lateGrants
}

// section is a list of the Snapshot.
type section struct {
	name  string
	apply func(context.Context) error
}

// snapshot reads the Snapshot to its end.
func (s *applyStream) snapshot(ctx context.Context) error {
	ok, err := s.in.open('{')
	if err != nil {
		return err
	}
	sections := []section{
		{"permissions", s.permissions}, {"tenants", s.tenants}, {"roles", s.roles}, {"users", s.users},
		{"vendors", s.vendors}, {"organizations", s.organizations}, {"grants", s.grants},
	}
	last := -1
	for ok && s.in.more() {
		name, err := s.in.name()
		if err != nil {
			return err
		}
		i := slices.IndexFunc(sections, func(known section) bool { return strings.EqualFold(known.name, name) })
		switch {
		case i < 0:
			return invalid("snapshot", "has the unknown member "+quote(name))
		case i <= last:
			return invalid("snapshot", fmt.Sprintf("must have %s before %s, and each once", sections[i].name, sections[last].name))
		}
		last = i
		if sections[i].name == "grants" {
			if err := s.applyLate(ctx); err != nil {
				return err
			}
		}
		if err := sections[i].apply(ctx); err != nil {
			return err
		}
	}
	if err := s.applyLate(ctx); err != nil {
		return err
	}
	if ok {
		if err := s.in.close(); err != nil {
			return err
		}
	}
	return s.in.end()
}

func (s *applyStream) permissions(ctx context.Context) error {
	return readList(ctx, s, "permissions", func(_ int, p Permission) { s.batch.Permissions = append(s.batch.Permissions, p) })
}

func (s *applyStream) tenants(ctx context.Context) error {
	return readList(ctx, s, "tenants", func(_ int, t SnapshotTenant) { s.batch.Tenants = append(s.batch.Tenants, t) })
}

func (s *applyStream) roles(ctx context.Context) error {
	return readList(ctx, s, "roles", func(_ int, r SnapshotRole) { s.batch.Roles = append(s.batch.Roles, r) })
}

func (s *applyStream) users(ctx context.Context) error {
	return readList(ctx, s, "users", func(i int, u SnapshotUser) {
		now, later := u.splitGrants()
		if later.Roles != nil {
			s.late = append(s.late, lateGrants{i, later})
		}
		s.batch.Users = append(s.batch.Users, now)
	})
}

func (s *applyStream) vendors(ctx context.Context) error {
	return readList(ctx, s, "vendors", func(_ int, v SnapshotVendor) { s.batch.Vendors = append(s.batch.Vendors, v) })
}

func (s *applyStream) grants(ctx context.Context) error {
	return readList(ctx, s, "grants", func(_ int, g SnapshotUserGrants) { s.batch.Grants = append(s.batch.Grants, g) })
}

// readList reads a list of the Snapshot and applies it batch by batch.
func readList[T any](ctx context.Context, s *applyStream, list string, add func(int, T)) error {
	ok, err := s.in.open('[')
	if err != nil || !ok {
		return entryFault(list, -1, err)
	}
	for i := 0; s.in.more(); i++ {
		var e T
		if err := s.in.value(&e); err != nil {
			return entryFault(list, i, err)
		}
		s.begin(i)
		add(i, e)
		if err := s.added(ctx, e); err != nil {
			return err
		}
	}
	if err := s.in.close(); err != nil {
		return entryFault(list, -1, err)
	}
	return s.flush(ctx)
}

// entryFault says where the document is at fault, which may be in the list as
// such (a negative i). What comes of the reader itself is not the entry's.
func entryFault(list string, i int, err error) error {
	switch {
	case !errors.Is(err, ErrInvalid):
		return err
	case i < 0:
		return fmt.Errorf("%s: %w", list, err)
	}
	return fmt.Errorf("%s[%d]: %w", list, i, err)
}

// begin notes where the batch begins in its list, if it begins with entry i.
func (s *applyStream) begin(i int) {
	if s.size == 0 {
		s.batch.first = i
	}
}

// added counts an entry that was added to the batch, and applies a full one.
func (s *applyStream) added(ctx context.Context, entry any) error {
	s.read.count(entry)
	s.size++
	if s.size >= s.opts.Batch || s.in.offset()-s.from >= maxBatchBytes {
		return s.flush(ctx)
	}
	return nil
}

// flush applies the batch, if there is any, and begins an empty one.
func (s *applyStream) flush(ctx context.Context) error {
	if s.size == 0 {
		return nil
	}
	if err := s.m.applyPart(ctx, s.batch); err != nil {
		return err
	}
	s.batch, s.size, s.from = part{}, 0, s.in.offset()
	s.done = s.read
	s.commits++
	s.opts.Progress(s.done)
	return nil
}

// applyLate gives roles at organizations that were read with the users.
func (s *applyStream) applyLate(ctx context.Context) error {
	for l := range slices.Chunk(s.late, s.opts.Batch) {
		if err := s.m.applyPart(ctx, part{late: l}); err != nil {
			return err
		}
	}
	s.late = nil
	return nil
}

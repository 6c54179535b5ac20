package usermgmt

import (
	"context"
	"errors"
)

// organizations reads the list of organizations, each of which may be longer
// than a batch.
func (s *applyStream) organizations(ctx context.Context) error {
	const list = "organizations"
	ok, err := s.in.open('[')
	if err != nil || !ok {
		return entryFault(list, -1, err)
	}
	for i := 0; s.in.more(); i++ {
		o, inner, err := s.in.organizationHead()
		if err != nil {
			return entryFault(list, i, err)
		}
		s.begin(i)
		s.batch.Organizations = append(s.batch.Organizations, o)
		if err := s.added(ctx, o); err != nil {
			return err
		}
		for inner != "" {
			read := s.members
			if inner == "apiKeys" {
				read = s.keys
			}
			if err := read(ctx, i, o); err != nil {
				return err
			}
			if inner, err = s.in.innerNext(inner); err != nil {
				return entryFault(list, i, err)
			}
		}
	}
	if err := s.in.close(); err != nil {
		return entryFault(list, -1, err)
	}
	return s.flush(ctx)
}

// current returns the batch's entry of the organization, the i-th one. In a new
// batch it says no more than which organization it is.
func (s *applyStream) current(i int, o SnapshotOrganization) *SnapshotOrganization {
	if s.size == 0 {
		s.begin(i)
		same := SnapshotOrganization{ID: o.ID}
		if o.ID == "" {
			same = SnapshotOrganization{Slug: o.Slug, Vendor: o.Vendor, VendorOrganizationID: o.VendorOrganizationID}
		}
		s.batch.Organizations = []SnapshotOrganization{same}
	}
	return &s.batch.Organizations[len(s.batch.Organizations)-1]
}

// members reads the members of the i-th organization. If it has none yet, the
// first of a batch without an owner becomes the owner; he is stated once more
// after an owner has come, and then gets the role that is his.
func (s *applyStream) members(ctx context.Context, i int, o SnapshotOrganization) error {
	var first SnapshotMember
	var before int // commits before the first
	again, owned := false, false
	add := func(j int, ms SnapshotMember) {
		to := s.current(i, o)
		if len(to.Members) == 0 && len(s.batch.Organizations) == 1 {
			s.batch.firstMember = j
		}
		to.Members = append(to.Members, ms)
	}
	n := 0
	err := readInner(s, i, o, "members", func(j int, ms SnapshotMember) error {
		if j == 0 {
			first, before = ms, s.commits
		}
		if ms.Role == "owner" && !owned {
			owned, again = true, s.commits > before
		}
		add(j, ms)
		n++
		return s.added(ctx, ms)
	})
	if err != nil || !again {
		return err
	}
	add(n, first)
	s.size++
	return nil
}

func (s *applyStream) keys(ctx context.Context, i int, o SnapshotOrganization) error {
	return readInner(s, i, o, "apiKeys", func(j int, k SnapshotKey) error {
		to := s.current(i, o)
		if len(to.APIKeys) == 0 && len(s.batch.Organizations) == 1 {
			s.batch.firstKey = j
		}
		to.APIKeys = append(to.APIKeys, k)
		return s.added(ctx, k)
	})
}

// readInner reads a list of the i-th organization.
func readInner[T any](s *applyStream, i int, o SnapshotOrganization, list string, add func(int, T) error) error {
	fault := func(j int, err error) error {
		if !errors.Is(err, ErrInvalid) {
			return err
		}
		return entry("organizations", i, o.label(), entryFault(list, j, err))
	}
	ok, err := s.in.open('[')
	if err != nil || !ok {
		return fault(-1, err)
	}
	for j := 0; s.in.more(); j++ {
		var e T
		if err := s.in.value(&e); err != nil {
			return fault(j, err)
		}
		if err := add(j, e); err != nil {
			return err
		}
	}
	if err := s.in.close(); err != nil {
		return fault(-1, err)
	}
	return nil
}

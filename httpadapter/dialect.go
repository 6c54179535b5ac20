package httpadapter

import (
	"fmt"
	"slices"

	"github.com/usermgmt-go/usermgmt/httpadapter/internal/caller"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/socotra"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

// Dialect names a published contract that the adapter speaks.
type Dialect string

// Socotra is users, roles and permissions below /auth/users and /auth/roles:
// see docs/dialects/socotra.md.
const Socotra Dialect = "socotra"

// Dialects returns all dialects in the order in which they are mounted.
func Dialects() []Dialect { return []Dialect{Socotra} }

// mounter builds a dialect; maxBody is Options.MaxBody.
type mounter func(gate *caller.Gate, maxBody int64) wire.Mount

// mounter returns how the dialect is built, nil for an unknown one.
func (d Dialect) mounter() mounter {
	switch d {
	case Socotra:
		return socotra.Mount
	}
	return nil
}

// pick returns the named dialects, or all.
func pick(names []Dialect) ([]mounter, error) {
	if len(names) == 0 {
		names = Dialects()
	}
	mounters := make([]mounter, len(names))
	for i, name := range names {
		if mounters[i] = name.mounter(); mounters[i] == nil {
			return nil, fmt.Errorf("unknown dialect %q", name)
		}
		if slices.Contains(names[:i], name) {
			return nil, fmt.Errorf("dialect %q twice", name)
		}
	}
	return mounters, nil
}

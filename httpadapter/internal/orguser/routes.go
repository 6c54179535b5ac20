// Package orguser serves /organization-user: the members of an organization, which
// a header names, and their roles.
package orguser

import (
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/caller"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

// Mount returns the dialect. Bodies over maxBody bytes, 64 KiB if 0, are 413.
func Mount(gate *caller.Gate, maxBody int64) wire.Mount {
	return wire.Mount{Title: "Organization users", Prefixes: []string{"/organization-user"}, Errors: wire.Problem{}}
}

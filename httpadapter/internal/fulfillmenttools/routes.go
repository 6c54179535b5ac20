// Package fulfillmenttools serves fulfillmenttools' users: /api/users, with roles
// at facilities.
package fulfillmenttools

import (
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/caller"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

// Mount returns the dialect. Bodies over maxBody bytes, 64 KiB if 0, are 413.
func Mount(gate *caller.Gate, maxBody int64) wire.Mount {
	return wire.Mount{Title: "fulfillmenttools users", Prefixes: []string{"/api/users"}, Errors: wire.Problem{}}
}

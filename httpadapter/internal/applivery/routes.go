// Package applivery serves Applivery's OEM users: /v1/organizations/{id}/oem/users,
// for API keys and users.
package applivery

import (
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/caller"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

// Mount returns the dialect. Bodies over maxBody bytes, 64 KiB if 0, are 413.
func Mount(gate *caller.Gate, maxBody int64) wire.Mount {
	return wire.Mount{Title: "Applivery OEM users", Prefixes: []string{"/v1/organizations"}, Errors: wire.Problem{}}
}

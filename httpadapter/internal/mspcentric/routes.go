// Package mspcentric serves MSPCentric's OEM API: /api/oem-api, where a vendor,
// whose credentials are in each body, provisions organizations, their users and
// one-time sign-ins.
package mspcentric

import (
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/caller"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

// Mount returns the dialect. Bodies over maxBody bytes, 64 KiB if 0, are 413.
func Mount(gate *caller.Gate, maxBody int64) wire.Mount {
	return wire.Mount{Title: "MSPCentric OEM API", Prefixes: []string{"/api/oem-api"}, Errors: wire.Problem{}}
}

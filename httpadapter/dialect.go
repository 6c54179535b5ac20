package httpadapter

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/applivery"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/caller"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/fulfillmenttools"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/mspcentric"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/orguser"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/socotra"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

// Dialect names a published contract that the adapter speaks.
type Dialect string

// The dialects. Each has a page in docs/dialects.
const (
	// MSPCentric is an OEM API below /api/oem-api: a vendor, known by credentials
	// in the body, provisions organizations, users and one-time sign-ins.
	MSPCentric Dialect = "mspcentric"
	// Applivery is OEM users below /v1/organizations, for API keys and users.
	Applivery Dialect = "applivery"
	// OrganizationUser is the members of an organization and their roles, at
	// /organization-user.
	OrganizationUser Dialect = "organization-user"
	// Fulfillmenttools is users with roles at facilities, below /api/users.
	Fulfillmenttools Dialect = "fulfillmenttools"
	// Socotra is users, roles and permissions below /auth/users and /auth/roles.
	Socotra Dialect = "socotra"
)

// Dialects returns all dialects in the order in which they are mounted.
func Dialects() []Dialect {
	return []Dialect{MSPCentric, Applivery, OrganizationUser, Fulfillmenttools, Socotra}
}

// mounter builds a dialect.
type mounter func(gate *caller.Gate, o Options) wire.Mount

// plain is the mounter of a dialect that has no options of its own.
func plain(mount func(*caller.Gate, int64) wire.Mount) mounter {
	return func(gate *caller.Gate, o Options) wire.Mount { return mount(gate, o.MaxBody) }
}

// mounter returns how the dialect is built, nil for an unknown one.
func (d Dialect) mounter() mounter {
	switch d {
	case MSPCentric:
		return plain(mspcentric.Mount)
	case Applivery:
		return func(gate *caller.Gate, o Options) wire.Mount {
			return applivery.Mount(gate, o.MaxBody, cmp.Or(o.OEMRole, usermgmt.RoleViewer))
		}
	case OrganizationUser:
		return plain(orguser.Mount)
	case Fulfillmenttools:
		return plain(fulfillmenttools.Mount)
	case Socotra:
		return plain(socotra.Mount)
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

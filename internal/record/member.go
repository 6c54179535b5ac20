package record

import "github.com/usermgmt-go/usermgmt/store"

// EncodeMembership returns the value of a record.
func EncodeMembership(m store.Membership) []byte {
	e := encode()
	e.text(string(m.OrganizationID), string(m.UserID), string(m.Role))
	list(e, m.Tags)
	e.text(m.VendorUserID, m.CreatedBy)
	e.int(m.Version)
	e.time(m.CreatedAt, m.UpdatedAt)
	return e.b
}

// DecodeMembership returns the record of a value, or [ErrDamaged].
func DecodeMembership(b []byte) (store.Membership, error) { return decode(b, readMembership) }

func readMembership(d *decoder) store.Membership {
	return store.Membership{
		OrganizationID: store.OrganizationID(d.text()), UserID: store.UserID(d.text()), Role: store.RoleID(d.text()),
		Tags: unlist[string](d), VendorUserID: d.text(), CreatedBy: d.text(),
		Version: d.int(), CreatedAt: d.time(), UpdatedAt: d.time(),
	}
}

package record

import "github.com/usermgmt-go/usermgmt/store"

// EncodeRole returns the value of a record.
func EncodeRole(r store.Role) []byte {
	e := encode()
	e.text(string(r.ID))
	e.uint(uint64(r.Scope))
	e.text(r.Name, r.Description)
	list(e, r.Permissions)
	e.text(r.CreatedBy)
	e.int(r.Version)
	e.time(r.CreatedAt, r.UpdatedAt)
	return e.b
}

// DecodeRole returns the record of a value, or [ErrDamaged].
func DecodeRole(b []byte) (store.Role, error) { return decode(b, readRole) }

func readRole(d *decoder) store.Role {
	return store.Role{
		ID: store.RoleID(d.text()), Scope: store.ScopeKind(d.uint()), Name: d.text(), Description: d.text(),
		Permissions: unlist[string](d), CreatedBy: d.text(), Version: d.int(), CreatedAt: d.time(), UpdatedAt: d.time(),
	}
}

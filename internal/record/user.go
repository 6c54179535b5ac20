package record

import (
	"encoding/json"

	"github.com/usermgmt-go/usermgmt/store"
)

// EncodeUser returns the value of a record.
func EncodeUser(u store.User) []byte {
	e := encode()
	e.text(string(u.ID), u.Username, u.UsernameKey, u.Email, u.EmailKey, u.FirstName, u.LastName, u.Locale)
	e.flag(u.Disabled)
	e.flag(u.EmailClaimed)
	e.text(string(u.Attributes))
	list(e, u.Tags)
	e.uint(uint64(len(u.Grants)))
	for _, g := range u.Grants {
		e.text(string(g.Role), g.Permission)
		e.uint(uint64(g.Kind))
		list(e, g.Scopes)
	}
	list(e, u.Tenants)
	e.text(u.CreatedBy, string(u.CreatedByVendor))
	e.int(u.Version)
	e.time(u.CreatedAt, u.UpdatedAt)
	return e.b
}

// DecodeUser returns the record of a value, or [ErrDamaged].
func DecodeUser(b []byte) (store.User, error) { return decode(b, readUser) }

func readUser(d *decoder) store.User {
	u := store.User{
		ID: store.UserID(d.text()), Username: d.text(), UsernameKey: d.text(), Email: d.text(), EmailKey: d.text(),
		FirstName: d.text(), LastName: d.text(), Locale: d.text(), Disabled: d.flag(), EmailClaimed: d.flag(),
	}
	if a := d.text(); a != "" {
		u.Attributes = json.RawMessage(a)
	}
	u.Tags = unlist[string](d)
	if n := d.count(); n > 0 {
		u.Grants = make([]store.Grant, n)
		for i := range u.Grants {
			u.Grants[i] = store.Grant{
				Role: store.RoleID(d.text()), Permission: d.text(), Kind: store.ScopeKind(d.uint()), Scopes: unlist[string](d),
			}
		}
	}
	u.Tenants = unlist[string](d)
	u.CreatedBy, u.CreatedByVendor = d.text(), store.VendorID(d.text())
	u.Version = d.int()
	u.CreatedAt, u.UpdatedAt = d.time(), d.time()
	return u
}

package record

import "github.com/usermgmt-go/usermgmt/store"

// EncodeTenant returns the value of a record.
func EncodeTenant(t store.Tenant) []byte {
	e := encode()
	e.text(string(t.ID), t.Name, t.Type)
	e.int(t.Version)
	e.time(t.CreatedAt, t.UpdatedAt)
	return e.b
}

// DecodeTenant returns the record of a value, or [ErrDamaged].
func DecodeTenant(b []byte) (store.Tenant, error) { return decode(b, readTenant) }

func readTenant(d *decoder) store.Tenant {
	return store.Tenant{
		ID: store.TenantID(d.text()), Name: d.text(), Type: d.text(),
		Version: d.int(), CreatedAt: d.time(), UpdatedAt: d.time(),
	}
}

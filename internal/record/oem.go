package record

import "github.com/usermgmt-go/usermgmt/store"

// EncodeVendor returns the value of a record.
func EncodeVendor(v store.Vendor) []byte {
	e := encode()
	e.text(string(v.ID), v.Name, v.ClientID)
	list(e, v.Scopes)
	e.flag(v.Disabled)
	e.int(v.Version)
	e.time(v.CreatedAt, v.UpdatedAt)
	return e.b
}

// DecodeVendor returns the record of a value, or [ErrDamaged].
func DecodeVendor(b []byte) (store.Vendor, error) { return decode(b, readVendor) }

func readVendor(d *decoder) store.Vendor {
	return store.Vendor{
		ID: store.VendorID(d.text()), Name: d.text(), ClientID: d.text(), Scopes: unlist[string](d), Disabled: d.flag(),
		Version: d.int(), CreatedAt: d.time(), UpdatedAt: d.time(),
	}
}

// EncodeSecret returns the value of a record.
func EncodeSecret(s store.VendorSecret) []byte {
	e := encode()
	e.text(string(s.VendorID))
	e.digest(s.Digest)
	e.time(s.CreatedAt, s.ExpiresAt)
	return e.b
}

// DecodeSecret returns the record of a value, or [ErrDamaged].
func DecodeSecret(b []byte) (store.VendorSecret, error) { return decode(b, readSecret) }

func readSecret(d *decoder) store.VendorSecret {
	return store.VendorSecret{
		VendorID: store.VendorID(d.text()), Digest: d.digest(), CreatedAt: d.time(), ExpiresAt: d.time(),
	}
}

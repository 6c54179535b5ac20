package record

import "github.com/usermgmt-go/usermgmt/store"

// EncodeKey returns the value of a record.
func EncodeKey(k store.Key) []byte {
	e := encode()
	e.text(string(k.ID), string(k.OrganizationID), k.Name, string(k.Role), string(k.Owner))
	e.digest(k.Digest)
	e.time(k.CreatedAt, k.ExpiresAt)
	return e.b
}

// DecodeKey returns the record of a value, or [ErrDamaged].
func DecodeKey(b []byte) (store.Key, error) { return decode(b, readKey) }

func readKey(d *decoder) store.Key {
	return store.Key{
		ID: store.KeyID(d.text()), OrganizationID: store.OrganizationID(d.text()), Name: d.text(),
		Role: store.RoleID(d.text()), Owner: store.UserID(d.text()), Digest: d.digest(),
		CreatedAt: d.time(), ExpiresAt: d.time(),
	}
}

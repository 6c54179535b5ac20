package record

import "github.com/usermgmt-go/usermgmt/store"

// EncodeCredential returns the value of a record.
func EncodeCredential(c store.Credential) []byte {
	e := encode()
	e.text(string(c.UserID), c.Hash)
	e.digest(c.Origin)
	e.flag(c.Temporary)
	e.time(c.ExpiresAt)
	e.int(c.Version)
	e.time(c.ChangedAt)
	return e.b
}

// DecodeCredential returns the record of a value, or [ErrDamaged].
func DecodeCredential(b []byte) (store.Credential, error) { return decode(b, readCredential) }

func readCredential(d *decoder) store.Credential {
	return store.Credential{
		UserID: store.UserID(d.text()), Hash: d.text(), Origin: d.digest(), Temporary: d.flag(),
		ExpiresAt: d.time(), Version: d.int(), ChangedAt: d.time(),
	}
}

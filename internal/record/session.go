package record

import "github.com/usermgmt-go/usermgmt/store"

// EncodeSession returns the value of a record.
func EncodeSession(s store.Session) []byte {
	e := encode()
	e.text(string(s.ID), string(s.UserID), string(s.OrganizationID))
	e.flag(s.PasswordChange)
	e.time(s.CreatedAt, s.ExpiresAt)
	return e.b
}

// DecodeSession returns the record of a value, or [ErrDamaged].
func DecodeSession(b []byte) (store.Session, error) { return decode(b, readSession) }

func readSession(d *decoder) store.Session {
	return store.Session{
		ID: store.SessionID(d.text()), UserID: store.UserID(d.text()), OrganizationID: store.OrganizationID(d.text()),
		PasswordChange: d.flag(), CreatedAt: d.time(), ExpiresAt: d.time(),
	}
}

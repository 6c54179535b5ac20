package record

import "github.com/usermgmt-go/usermgmt/store"

// EncodeToken returns the value of a record.
func EncodeToken(t store.Token) []byte {
	e := encode()
	e.digest(t.Digest)
	e.uint(uint64(t.Kind))
	e.text(string(t.UserID), string(t.OrganizationID), string(t.SessionID))
	e.time(t.CreatedAt, t.ExpiresAt, t.UsedAt)
	return e.b
}

// DecodeToken returns the record of a value, or [ErrDamaged].
func DecodeToken(b []byte) (store.Token, error) { return decode(b, readToken) }

func readToken(d *decoder) store.Token {
	return store.Token{
		Digest: d.digest(), Kind: store.TokenKind(d.uint()), UserID: store.UserID(d.text()),
		OrganizationID: store.OrganizationID(d.text()), SessionID: store.SessionID(d.text()),
		CreatedAt: d.time(), ExpiresAt: d.time(), UsedAt: d.time(),
	}
}

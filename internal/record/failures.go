package record

import "github.com/usermgmt-go/usermgmt/store"

// EncodeFailures returns the value of a record.
func EncodeFailures(f store.Failures) []byte {
	e := encode()
	e.digest(f.Key)
	e.int(f.Count)
	e.time(f.Until, f.ExpiresAt)
	return e.b
}

// DecodeFailures returns the record of a value, or [ErrDamaged].
func DecodeFailures(b []byte) (store.Failures, error) { return decode(b, readFailures) }

func readFailures(d *decoder) store.Failures {
	return store.Failures{Key: d.digest(), Count: d.int(), Until: d.time(), ExpiresAt: d.time()}
}

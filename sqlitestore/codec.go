package sqlitestore

import (
	"database/sql/driver"
	"errors"

	"github.com/usermgmt-go/usermgmt/store"
)

// errStop ends a walk over rows that has found what it wanted.
var errStop = errors.New("stop")

// blob returns a BLOB column.
func blob(v driver.Value) []byte {
	b, _ := v.([]byte)
	return b
}

// expiry is the column that expired records are found by.
func expiry(t store.Time) driver.Value {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

package memstore_test

import (
	"testing"

	"github.com/usermgmt-go/usermgmt/memstore"
	"github.com/usermgmt-go/usermgmt/store/storetest"
)

func TestTransaction(t *testing.T) {
	t.Parallel()
	storetest.RunJoined(t, func(testing.TB) storetest.Joined {
		s := memstore.New()
		tx := s.Begin()
		return storetest.Joined{Store: tx, Outside: s, Commit: tx.Commit, Rollback: tx.Rollback}
	})
}

package pgstore

import (
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt/store"
)

// hanging are ways to read what hangs on ada, on acme or on both, by what each
// is called.
func hanging(t *testing.T) map[string]func(store.Reader) error {
	ctx := t.Context()
	return map[string]func(store.Reader) error{
		"credential": func(r store.Reader) error { _, err := r.Credential(ctx, "ada"); return err },
		"membership": func(r store.Reader) error { _, err := r.Membership(ctx, "acme", "ada"); return err },
		"key":        func(r store.Reader) error { _, err := r.Key(ctx, "key"); return err },
		"session":    func(r store.Reader) error { _, err := r.Session(ctx, "s"); return err },
		"refresh": func(r store.Reader) error {
			_, err := r.Token(ctx, store.TokenRefresh, store.Digest{1})
			return err
		},
		"handle": func(r store.Reader) error {
			_, err := r.Token(ctx, store.TokenOrganization, store.Digest{2})
			return err
		},
		"code":     func(r store.Reader) error { _, err := r.Token(ctx, store.TokenCode, store.Digest{3}); return err },
		"failures": func(r store.Reader) error { _, err := r.Failures(ctx, store.Digest{4}); return err },
	}
}

// hang creates all of that.
func hang(t *testing.T, s store.Store) {
	t.Helper()
	ctx, end := t.Context(), time.UnixMicro(1).UTC()
	update(t, s, func(tx store.Tx) error {
		sess := session("s", "ada")
		sess.OrganizationID = "acme"
		return errors.Join(
			tx.CreateUser(ctx, person("ada")),
			tx.CreateOrganization(ctx, store.Organization{ID: "acme", Name: "Acme", CreatedBy: "host"}),
			tx.PutCredential(ctx, store.Credential{UserID: "ada", Hash: "h"}),
			tx.CreateMembership(ctx, store.Membership{OrganizationID: "acme", UserID: "ada", Role: "r", CreatedBy: "host"}),
			tx.CreateKey(ctx, store.Key{ID: "key", Name: "key", OrganizationID: "acme", Owner: "ada", Role: "r", Digest: store.Digest{9}}),
			tx.CreateSession(ctx, sess),
			tx.CreateToken(ctx, store.Token{Digest: store.Digest{1}, Kind: store.TokenRefresh, UserID: "ada", SessionID: "s"}),
			tx.CreateToken(ctx, store.Token{Digest: store.Digest{2}, Kind: store.TokenOrganization, UserID: "ada", OrganizationID: "acme"}),
			tx.CreateToken(ctx, store.Token{Digest: store.Digest{3}, Kind: store.TokenCode, UserID: "ada", OrganizationID: "acme"}),
			tx.PutFailures(ctx, store.Failures{Key: store.Digest{4}, Count: 1, ExpiresAt: end}))
	})
}

// TestWhatIsRemovedAlong: a unit that has read a record, and then what takes it
// along, finds it no more, and rests on it up to there alone. It has met nobody.
func TestWhatIsRemovedAlong(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	d := newDatabase(t, nil)
	for name, c := range map[string]struct {
		remove func(tx store.Tx) error
		stays  []string
	}{
		"DeleteUser":         {func(tx store.Tx) error { return tx.DeleteUser(ctx, "ada") }, []string{"failures"}},
		"DeleteOrganization": {func(tx store.Tx) error { return tx.DeleteOrganization(ctx, "acme") }, []string{"credential", "failures"}},
		"DeleteMembership":   {func(tx store.Tx) error { return tx.DeleteMembership(ctx, "acme", "ada") }, []string{"credential", "failures"}},
		"DeleteSession": {func(tx store.Tx) error { return tx.DeleteSession(ctx, "s") },
			[]string{"credential", "membership", "key", "handle", "code", "failures"}},
		"DeleteSessions": {func(tx store.Tx) error { _, err := tx.DeleteSessions(ctx, "ada"); return err },
			[]string{"credential", "membership", "key", "handle", "failures"}},
		"DeleteExpired": {func(tx store.Tx) error {
			n, err := tx.DeleteExpired(ctx, time.UnixMicro(2).UTC(), 9)
			if n < 2 {
				return errors.Join(err, errors.New("some are not expired"))
			}
			return err
		}, []string{"credential", "membership", "key", "handle", "code"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			read := hanging(t)
			var tries int
			unit := func(tx store.Tx) error {
				tries++
				for what, find := range read {
					require.NoError(t, find(tx), what)
				}
				if err := c.remove(tx); err != nil {
					return err
				}
				for what, find := range read {
					if err := find(tx); !slices.Contains(c.stays, what) {
						require.ErrorIs(t, err, store.ErrNotFound, what)
					} else {
						require.NoError(t, err, what)
					}
				}
				return nil
			}
			s := d.open(t)
			hang(t, s)
			host, err := d.pool.Begin(ctx)
			require.NoError(t, err)
			defer func() { _ = host.Rollback(ctx) }()
			require.NoError(t, In(host, &Options{Schema: s.naming.schema}).Update(ctx, realm, unit), "joined")
			require.NoError(t, host.Rollback(ctx))

			tries = 0
			lost := errors.New("enough")
			require.ErrorIs(t, s.Update(ctx, realm, func(tx store.Tx) error { // which is careful when it is run again
				if tries == 0 {
					tries++
					return conflictOf(tx)
				}
				return errors.Join(unit(tx), lost)
			}), lost)
			require.Equal(t, 2, tries, "of a unit that met another")

			tries = 0
			update(t, s, unit)
			require.Equal(t, 1, tries)
		})
	}
}

// TestRemovedAlongAfterAChange: what is removed along must be as the unit has
// read it all the same. Each is ended, or changed, by another unit meanwhile.
func TestRemovedAlongAfterAChange(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	d := newDatabase(t, nil)
	changes := map[string]func(tx store.Tx) error{
		"credential": func(tx store.Tx) error {
			return tx.PutCredential(ctx, store.Credential{UserID: "ada", Hash: "other", Version: 1})
		},
		"membership": func(tx store.Tx) error {
			return tx.UpdateMembership(ctx, store.Membership{OrganizationID: "acme", UserID: "ada", Role: "other", Version: 1})
		},
		"key":     func(tx store.Tx) error { return tx.DeleteKey(ctx, "key") },
		"session": func(tx store.Tx) error { return tx.DeleteSession(ctx, "s") },
		"refresh": func(tx store.Tx) error {
			_, err := tx.UseToken(ctx, store.TokenRefresh, store.Digest{1}, time.UnixMicro(1).UTC())
			return err
		},
		"handle":   func(tx store.Tx) error { return tx.DeleteToken(ctx, store.TokenOrganization, store.Digest{2}) },
		"code":     func(tx store.Tx) error { return tx.DeleteToken(ctx, store.TokenCode, store.Digest{3}) },
		"failures": func(tx store.Tx) error { return tx.DeleteFailures(ctx, store.Digest{4}) },
	}
	user := func(tx store.Tx) error { return tx.DeleteUser(ctx, "ada") }
	removals := map[string]func(tx store.Tx) error{
		"credential": user, "membership": user, "key": user,
		"session": func(tx store.Tx) error { _, err := tx.DeleteSessions(ctx, "ada"); return err },
		"refresh": func(tx store.Tx) error { _, err := tx.DeleteSessions(ctx, "ada"); return err },
		"handle":  func(tx store.Tx) error { return tx.DeleteMembership(ctx, "acme", "ada") },
		"code":    func(tx store.Tx) error { return tx.DeleteOrganization(ctx, "acme") },
		"failures": func(tx store.Tx) error {
			_, err := tx.DeleteExpired(ctx, time.UnixMicro(2).UTC(), 9)
			return err
		},
	}
	require.ElementsMatch(t, slices.Collect(maps.Keys(hanging(t))), slices.Collect(maps.Keys(changes)))
	for what, change := range changes {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := d.open(t)
			hang(t, s)
			tries := 0
			update(t, s, func(tx store.Tx) error {
				err := hanging(t)[what](tx)
				if tries++; tries == 1 {
					if err != nil {
						return err
					}
					update(t, s, change)
				}
				return removals[what](tx)
			})
			require.Equal(t, 2, tries)
		})
	}
}

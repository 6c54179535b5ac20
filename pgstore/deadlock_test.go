package pgstore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt/store"
)

// deadlocks counts the statements that PostgreSQL has ended because units waited
// for each other, which it notices after a second.
type deadlocks struct{ n atomic.Int64 }

func (*deadlocks) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return ctx
}
func (*deadlocks) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (*deadlocks) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return ctx
}
func (d *deadlocks) TraceBatchQuery(_ context.Context, _ *pgx.Conn, q pgx.TraceBatchQueryData) {
	d.note(q.Err)
}
func (*deadlocks) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

func (d *deadlocks) note(err error) {
	if code(err) == codeDeadlock {
		d.n.Add(1)
	}
}

// Units lock what hangs on what in one order, so that they wait for one another
// and never in a circle: of everything that ends or renews sessions, many at once.
func TestNoDeadlocksAboutSessions(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	var met deadlocks
	d := newDatabase(t, func(c *pgxpool.Config) {
		c.MaxConns = 16
		c.ConnConfig.Tracer = &met
	})
	require.NoError(t, d.warm(ctx, 16))
	s := d.open(t)
	var next atomic.Int64 // number of a token, session or user
	fresh := func() store.Digest {
		n := next.Add(1)
		return store.Digest{1, byte(n >> 16), byte(n >> 8), byte(n)}
	}
	open := func(tx store.Tx, org store.OrganizationID) (k store.Token, err error) {
		sess := session(fmt.Sprint("s", next.Add(1)), "ada")
		sess.OrganizationID = org
		k = store.Token{Digest: fresh(), Kind: store.TokenRefresh, UserID: "ada", SessionID: sess.ID, ExpiresAt: sess.ExpiresAt}
		return k, errors.Join(tx.CreateSession(ctx, sess), tx.CreateToken(ctx, k))
	}
	var refresh, code store.Digest // those of the round
	var confined, free store.SessionID
	found := func(tx store.Tx) error {
		ada := person("ada")
		err := errors.Join(tx.CreateUser(ctx, ada), tx.PutCredential(ctx, store.Credential{UserID: "ada", Hash: "h"}),
			tx.CreateOrganization(ctx, store.Organization{ID: "o", Name: "O", CreatedBy: "host"}),
			tx.CreateMembership(ctx, store.Membership{OrganizationID: "o", UserID: "ada", Role: "member"}))
		one, errO := open(tx, "o")
		two, errT := open(tx, "")
		code = fresh()
		err = errors.Join(err, errO, errT, tx.CreateToken(ctx,
			store.Token{Digest: code, Kind: store.TokenCode, UserID: "ada", OrganizationID: "o", ExpiresAt: time.UnixMicro(1).UTC()}))
		refresh, confined, free = one.Digest, one.SessionID, two.SessionID
		return err
	}
	renew := func(tx store.Tx) error {
		k, err := tx.UseToken(ctx, store.TokenRefresh, refresh, time.UnixMicro(9).UTC())
		if errors.Is(err, store.ErrUsed) {
			return tx.DeleteSession(ctx, k.SessionID)
		}
		if err != nil {
			return err
		}
		sess, err := tx.Session(ctx, k.SessionID)
		if err != nil {
			return err
		}
		k.Digest, k.UsedAt, k.ExpiresAt = fresh(), store.Time{}, sess.ExpiresAt
		return tx.CreateToken(ctx, k)
	}
	redeem := func(tx store.Tx) error {
		if _, err := tx.UseToken(ctx, store.TokenCode, code, time.UnixMicro(9).UTC()); err != nil {
			return err
		}
		if _, err := tx.Membership(ctx, "o", "ada"); err != nil {
			return err
		}
		_, err := open(tx, "o")
		return err
	}
	signIn := func(tx store.Tx) error {
		_, err := tx.User(ctx, "ada")
		_, errC := tx.Credential(ctx, "ada")
		if err = errors.Join(err, errC); err != nil {
			return err
		}
		_, err = open(tx, "")
		return err
	}
	changePassword := func(tx store.Tx) error {
		c, err := tx.Credential(ctx, "ada")
		if err != nil {
			return err
		}
		if err := tx.PutCredential(ctx, c); err != nil {
			return err
		}
		_, err = tx.DeleteSessions(ctx, "ada")
		return err
	}
	disable := func(tx store.Tx) error {
		u, err := tx.User(ctx, "ada")
		if err != nil {
			return err
		}
		if err := tx.UpdateUser(ctx, u); err != nil {
			return err
		}
		_, err = tx.DeleteSessions(ctx, "ada")
		return err
	}
	expire := func(tx store.Tx) error {
		_, err := tx.DeleteExpired(ctx, time.UnixMicro(5).UTC(), 100)
		return err
	}
	end := func(id *store.SessionID) func(tx store.Tx) error {
		return func(tx store.Tx) error { // as somebody else does, whose rights are asked first
			sess, err := tx.Session(ctx, *id)
			if err != nil {
				return err
			}
			if _, err := tx.User(ctx, sess.UserID); err != nil {
				return err
			}
			return tx.DeleteSession(ctx, *id)
		}
	}
	leave := func(tx store.Tx) error { return tx.DeleteMembership(ctx, "o", "ada") }
	deleteUser := func(tx store.Tx) error { return tx.DeleteUser(ctx, "ada") }
	deleteOrganization := func(tx store.Tx) error { return tx.DeleteOrganization(ctx, "o") }
	clear := func(tx store.Tx) error {
		for _, err := range []error{tx.DeleteUser(ctx, "ada"), tx.DeleteOrganization(ctx, "o")} {
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
		}
		return nil
	}
	type unit = func(store.Tx) error
	for name, units := range map[string][]unit{
		"refreshes of one token":  {renew},
		"refreshes and sign-outs": {renew, renew, end(&confined)},
		"passwords and sign-ins":  {changePassword, signIn, renew},
		"disabling":               {disable, renew, end(&confined), end(&free)},
		"expiry":                  {expire, renew, end(&confined), end(&free)},
		"a user goes":             {renew, signIn, redeem, deleteUser, expire, changePassword},
		"a membership goes":       {renew, redeem, leave, end(&confined), changePassword},
		"an organization goes":    {renew, redeem, deleteOrganization, deleteUser, leave, expire},
	} {
		for range 10 {
			update(t, s, found)
			var group sync.WaitGroup
			errs, begin := make([]error, 12), make(chan struct{})
			for i := range errs {
				group.Go(func() {
					<-begin
					errs[i] = s.Update(ctx, realm, units[i%len(units)])
				})
			}
			close(begin)
			group.Wait()
			for i, err := range errs {
				switch {
				case err == nil, errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrUsed):
				default:
					t.Errorf("%s, unit %d: %v", name, i, err)
				}
			}
			update(t, s, clear)
		}
		if n := met.n.Swap(0); n > 0 {
			t.Errorf("%s: %d deadlocks", name, n)
		}
	}
}

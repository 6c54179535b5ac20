package pgstore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt/store"
)

const realm store.Realm = "main"

func person(id string) store.User {
	return store.User{ID: store.UserID(id), Username: id, UsernameKey: id, CreatedBy: "host"}
}

func session(id, user string) store.Session {
	return store.Session{ID: store.SessionID(id), UserID: store.UserID(user), ExpiresAt: time.UnixMicro(1).UTC()}
}

func update(t testing.TB, s store.Store, fn func(tx store.Tx) error) {
	t.Helper()
	require.NoError(t, s.Update(t.Context(), realm, fn))
}

// What two units do must be what they would have done one after the other, in
// whichever order: the second begins and ends while the first one, which has
// read, waits to write.
func TestUnitsMeet(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	d := newDatabase(t, nil)
	signIn := func(tx store.Tx, read func()) error {
		c, err := tx.Credential(ctx, "ada")
		if err != nil {
			return err
		}
		u, err := tx.User(ctx, "ada")
		if err != nil {
			return err
		}
		read()
		if c.Hash != "old" || u.Disabled {
			return errors.New("sign-in refused")
		}
		return tx.CreateSession(ctx, session("s", "ada"))
	}
	type act = func(store.Tx) error
	// Acts of somebody whose rights are read from his record, or kept since then.
	byRecord := func(do act) func(store.Tx, func()) error {
		return func(tx store.Tx, read func()) error {
			u, err := tx.User(ctx, "ada")
			if err != nil {
				return err
			}
			read()
			if len(u.Grants) == 0 {
				return errors.New("not allowed")
			}
			return do(tx)
		}
	}
	byGeneration := func(do act) func(store.Tx, func()) error {
		return func(tx store.Tx, read func()) error {
			g, err := tx.Generation(ctx)
			if err != nil {
				return err
			}
			read()
			if g > 0 {
				return errors.New("not allowed")
			}
			return do(tx)
		}
	}
	demote := func(also ...act) act {
		return func(tx store.Tx) error {
			u, err := tx.User(ctx, "ada")
			u.Grants = nil
			errs := []error{err, tx.UpdateUser(ctx, u)}
			for _, do := range also {
				errs = append(errs, do(tx))
			}
			return errors.Join(errs...)
		}
	}
	create := func(tx store.Tx) error { return tx.CreateUser(ctx, person("bob")) }
	look := func(tx store.Tx) error { _, err := tx.Credential(ctx, "ada"); return err }
	forget := func(tx store.Tx) error { return tx.DeleteCredential(ctx, "ada") }
	for name, c := range map[string]struct {
		first  func(tx store.Tx, read func()) error
		second func(tx store.Tx) error
		want   string // of the first
	}{
		"a sign-in with the password that is reset": {
			signIn, func(tx store.Tx) error {
				err := tx.PutCredential(ctx, store.Credential{UserID: "ada", Hash: "new", Version: 1})
				_, errD := tx.DeleteSessions(ctx, "ada")
				return errors.Join(err, errD)
			}, "sign-in refused",
		},
		"a sign-in of a user who is disabled": {
			signIn, func(tx store.Tx) error {
				_, errD := tx.DeleteSessions(ctx, "ada")
				u, err := tx.User(ctx, "ada")
				u.Disabled = true
				return errors.Join(errD, err, tx.UpdateUser(ctx, u))
			}, "sign-in refused",
		},
		"an act of an administrator who is demoted":             {byRecord(create), demote(), "not allowed"},
		"an act by rights that were kept under a generation":    {byGeneration(create), demote(), "not allowed"},
		"a failure that comes of two moments":                   {byRecord(look), demote(forget), "not allowed"},
		"a failure by rights that were kept under a generation": {byGeneration(look), demote(forget), "not allowed"},
		"a record that is changed after it was read": {
			func(tx store.Tx, read func()) error {
				u, err := tx.User(ctx, "ada")
				if err != nil {
					return err
				}
				read()
				u.LastName += "first"
				return tx.UpdateUser(ctx, u)
			},
			func(tx store.Tx) error {
				u, err := tx.User(ctx, "ada")
				u.LastName = "second, "
				return errors.Join(err, tx.UpdateUser(ctx, u))
			}, "",
		},
		"a name that is taken meanwhile": {
			func(tx store.Tx, read func()) error {
				u, err := tx.User(ctx, "ada")
				if err != nil {
					return err
				}
				_, err = tx.UserByUsername(ctx, "countess")
				read()
				if err == nil {
					return errors.New("taken")
				}
				u.UsernameKey = "countess"
				return tx.UpdateUser(ctx, u)
			},
			func(tx store.Tx) error {
				u := person("eve")
				u.UsernameKey = "countess"
				return tx.CreateUser(ctx, u)
			}, "taken|username already exists",
		},
		"a user who is deleted while something is given to him": {
			func(tx store.Tx, read func()) error {
				if _, err := tx.User(ctx, "ada"); err != nil {
					return err
				}
				read()
				return tx.CreateSession(ctx, session("s", "ada"))
			},
			func(tx store.Tx) error { return tx.DeleteUser(ctx, "ada") },
			"not found",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := d.open(t)
			update(t, s, func(tx store.Tx) error {
				ada := person("ada")
				ada.Grants = []store.Grant{{Role: "admin", Kind: store.ScopeRealm}}
				return errors.Join(tx.CreateUser(ctx, ada), tx.PutCredential(ctx, store.Credential{UserID: "ada", Hash: "old"}))
			})
			read, goOn := make(chan struct{}), make(chan struct{})
			var once sync.Once
			got := make(chan error, 1)
			go func() {
				got <- s.Update(ctx, realm, func(tx store.Tx) error {
					return c.first(tx, func() {
						once.Do(func() {
							close(read)
							<-goOn
						})
					})
				})
			}()
			<-read
			update(t, s, c.second)
			close(goOn)
			err := <-got
			if c.want == "" {
				require.NoError(t, err)
				require.NoError(t, s.View(ctx, realm, func(r store.Reader) error {
					u, err := r.User(ctx, "ada")
					require.Equal(t, "second, first", u.LastName)
					return err
				}))
				return
			}
			require.Error(t, err)
			require.Regexp(t, "^("+c.want+")$", err.Error())
			require.NoError(t, s.View(ctx, realm, func(r store.Reader) error {
				ss, err := r.Sessions(ctx, "ada", "", 9)
				require.Empty(t, ss, "sessions that should not be")
				return err
			}))
		})
	}
}

// Two units that each read what the other one changes cannot both go through.
func TestUnitsThatCrossAreRunAgain(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := newDatabase(t, nil).open(t)
	update(t, s, func(tx store.Tx) error {
		return errors.Join(tx.CreateUser(ctx, person("a")), tx.CreateUser(ctx, person("b")))
	})
	// Each is to take the other's name, as long as that one has none of his own.
	var both sync.WaitGroup
	both.Add(2)
	results := make(chan error, 2)
	for _, p := range [][2]store.UserID{{"a", "b"}, {"b", "a"}} {
		first := true
		go func() {
			results <- s.Update(ctx, realm, func(tx store.Tx) error {
				mine, err := tx.User(ctx, p[0])
				if err != nil {
					return err
				}
				theirs, err := tx.User(ctx, p[1])
				if err != nil {
					return err
				}
				if first {
					first = false
					both.Done()
					both.Wait()
				}
				if theirs.LastName != "" {
					return errors.New("late")
				}
				mine.LastName = "taken"
				return tx.UpdateUser(ctx, mine)
			})
		}()
	}
	one, other := <-results, <-results
	require.NotEqual(t, one == nil, other == nil, "got %v and %v", one, other)
}

func TestUnitIsGivenUp(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := newDatabase(t, nil).open(t)
	runs := 0
	err := s.Update(ctx, realm, func(tx store.Tx) error {
		runs++
		return conflictOf(tx)
	})
	require.ErrorIs(t, err, store.ErrBusy)
	require.Equal(t, maxTries, runs)
}

func TestCategories(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]error{
		"40001": errConflict, "40P01": errConflict, "55P03": errConflict, "23505": errConflict, "57P01": errConflict,
		"25006": store.ErrReadOnly, "53100": store.ErrFull, "57014": store.ErrBusy, "53300": store.ErrBusy,
		"42P01": store.ErrSchema, "25P02": store.ErrDone,
	} {
		cause := &pgconn.PgError{Code: code, Message: "m"}
		got := translate(t.Context(), fmt.Errorf("in: %w", cause))
		require.ErrorIs(t, got, want, code)
		require.ErrorIs(t, got, cause, "the chain holds the cause")
	}
	done, cancel := context.WithCancel(t.Context())
	cancel()
	require.Equal(t, context.Canceled, translate(done, &pgconn.PgError{Code: "57014"}))
}

func TestOutcomeOfACommit(t *testing.T) {
	t.Parallel()
	lost := errors.New("connection reset")
	fatal := &pgconn.PgError{Code: "57P01", SeverityUnlocalized: "FATAL"}
	refused := &pgconn.PgError{Code: "40001", SeverityUnlocalized: "ERROR"}
	require.True(t, unknown(lost, 0, 2), "all may have been carried out")
	require.True(t, unknown(lost, 2, 2))
	require.True(t, unknown(fatal, 2, 2), "while the commit was waited for")
	require.False(t, unknown(fatal, 1, 2), "before the commit")
	require.False(t, unknown(refused, 2, 2))
	require.False(t, unknown(refused, 0, 2))
}

func conflictOf(t store.Tx) error { return t.(*tx).conflict() }

// What hangs on a record goes with it, also where it is created at the same
// time: the first unit is held after its call, until the second one waits for it
// or has ended.
func TestParentsAreLocked(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	d := newDatabase(t, nil)
	disable := func(tx store.Tx) error {
		u, err := tx.User(ctx, "ada")
		u.Disabled = true
		return errors.Join(err, tx.UpdateUser(ctx, u))
	}
	signIn := func(tx store.Tx) error {
		u, err := tx.User(ctx, "ada")
		if err != nil || u.Disabled {
			return errors.Join(err, store.ErrNotFound)
		}
		return tx.CreateSession(ctx, session("s", "ada"))
	}
	for name, c := range map[string]struct {
		first, last func(tx store.Tx) error // of the first unit
		second      func(tx store.Tx) error
	}{
		"a user is deleted behind a sign-in": {
			first:  func(tx store.Tx) error { return tx.CreateSession(ctx, session("s", "ada")) },
			second: func(tx store.Tx) error { return tx.DeleteUser(ctx, "ada") },
		},
		"a sign-in behind the deletion": {
			first:  func(tx store.Tx) error { return tx.DeleteUser(ctx, "ada") },
			second: func(tx store.Tx) error { return tx.CreateSession(ctx, session("s", "ada")) },
		},
		"a sign-in between the end of the sessions and the user's": {
			first: func(tx store.Tx) error {
				_, err := tx.DeleteSessions(ctx, "ada")
				return err
			},
			last:   disable,
			second: signIn,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := d.open(t)
			update(t, s, func(tx store.Tx) error { return tx.CreateUser(ctx, person("ada")) })
			held, goOn := make(chan struct{}), make(chan struct{})
			var once sync.Once
			ended := make(chan error, 1)
			go func() {
				ended <- s.Update(ctx, realm, func(tx store.Tx) error {
					if err := c.first(tx); err != nil {
						return err
					}
					once.Do(func() {
						close(held)
						<-goOn
					})
					if c.last != nil {
						return c.last(tx)
					}
					return nil
				})
			}()
			<-held
			started, done := make(chan int64, maxTries), make(chan error, 1)
			go func() {
				done <- s.Update(ctx, realm, func(tx store.Tx) error {
					started <- process(t, tx)
					return c.second(tx)
				})
			}()
			pid := <-started
			over, stop := context.WithCancel(ctx)
			var second error
			go func() {
				second = <-done
				stop()
			}()
			waits := make(chan struct{})
			go d.whenWaiting(over, t, pid, func() { close(waits) })
			<-waits
			close(goOn)
			require.NoError(t, <-ended)
			<-over.Done()
			if second != nil {
				require.ErrorIs(t, second, store.ErrNotFound)
			}
			require.NoError(t, s.View(ctx, realm, func(r store.Reader) error {
				ss, err := r.Sessions(ctx, "ada", "", 9)
				require.Empty(t, ss, "sessions of a user who is disabled or gone")
				return err
			}))
		})
	}
}

// Many creations are not answered one by one, and yet each answer counts.
func TestBulk(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	d := newDatabase(t, nil)
	for name, c := range map[string]struct {
		refused func(tx store.Tx) error
		want    error
	}{
		"a duplicate of one that was there": {func(tx store.Tx) error { return tx.CreateUser(ctx, person("ada")) }, store.ErrExists},
		"a duplicate of one of the unit":    {func(tx store.Tx) error { return tx.CreateUser(ctx, person("0100")) }, store.ErrExists},
		"a record of nobody": {func(tx store.Tx) error {
			return tx.PutCredential(ctx, store.Credential{UserID: "nobody", Hash: "h"})
		}, store.ErrNotFound},
		"a credential that is there": {func(tx store.Tx) error {
			return tx.PutCredential(ctx, store.Credential{UserID: "ada", Hash: "h"})
		}, store.ErrStale},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := d.open(t)
			update(t, s, func(tx store.Tx) error {
				return errors.Join(tx.CreateUser(ctx, person("ada")), tx.PutCredential(ctx, store.Credential{UserID: "ada", Hash: "h"}))
			})
			const n = 700
			bulk := func(last func(tx store.Tx) error) (runs int, err error) {
				err = s.Update(ctx, realm, func(tx store.Tx) error {
					runs++
					for i := range n {
						id := fmt.Sprintf("%04d", i)
						err := errors.Join(tx.CreateUser(ctx, person(id)), tx.PutCredential(ctx, store.Credential{UserID: store.UserID(id), Hash: "h"}))
						if err != nil {
							return err
						}
						if i == 200 {
							u, err := tx.User(ctx, "0199") // what was left for later is seen
							if err != nil || u.Version != 1 {
								return errors.Join(err, errors.New("not as created"))
							}
						}
					}
					return last(tx)
				})
				return runs, err
			}
			var got error
			runs, err := bulk(func(tx store.Tx) error {
				got = c.refused(tx)
				return nil
			})
			require.NoError(t, err)
			require.ErrorIs(t, got, c.want)
			require.Equal(t, 2, runs)
			all, err := countUsers(ctx, s)
			require.NoError(t, err)
			require.EqualValues(t, n+1, all)
			_, err = bulk(func(store.Tx) error { return nil })
			require.ErrorIs(t, err, store.ErrExists)
		})
	}
}

// Rights may be taken away by a transaction that a unit has to wait for when it
// has read all and written all but its events.
func TestUnitWaitsForARevocation(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	d := newDatabase(t, nil)
	s := d.open(t)
	update(t, s, func(tx store.Tx) error { return tx.CreateUser(ctx, person("ada")) })
	event := store.Event{Action: "a.b"}
	for name, also := range map[string]func(store.Tx) error{
		"and writes": func(tx store.Tx) error { return tx.CreateUser(ctx, person("bob")) },
		"and takes rights itself": func(tx store.Tx) error {
			u, err := tx.User(ctx, "eve")
			u.Disabled = true
			return errors.Join(err, tx.UpdateUser(ctx, u))
		},
	} {
		update(t, s, func(tx store.Tx) error {
			return errors.Join(tx.CreateUser(ctx, person("eve")), tx.CreateSession(ctx, session("s", "ada")))
		})
		before, err := s.Generation(ctx, realm)
		require.NoError(t, err)
		host, err := d.pool.Begin(ctx)
		require.NoError(t, err)
		require.NoError(t, In(host, &Options{Schema: s.naming.schema}).Update(ctx, realm, func(tx store.Tx) error {
			return errors.Join(tx.DeleteSession(ctx, "s"), tx.AppendEvent(ctx, event))
		}))
		pids, done := make(chan int64, 2*maxTries), make(chan error, 1)
		go func() {
			done <- s.Update(ctx, realm, func(tx store.Tx) error {
				pids <- process(t, tx)
				now, err := tx.Generation(ctx)
				if err == nil && now != before {
					err = errors.New("not allowed")
				}
				return errors.Join(err, also(tx), tx.AppendEvent(ctx, event))
			})
		}()
		d.whenWaiting(ctx, t, <-pids, func() { require.NoError(t, host.Commit(ctx)) })
		require.ErrorContains(t, <-done, "not allowed", name)
		update(t, s, func(tx store.Tx) error { return tx.DeleteUser(ctx, "eve") })
	}
}

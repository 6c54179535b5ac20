package faulttest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/internal/tier"
)

// crowd is how many users a storm has. Each says in his last name who he is, and
// in which version.
const crowd = 50

func crowdID(i int) usermgmt.UserID { return usermgmt.UserID(fmt.Sprint("storm-", i)) }

func lastName(id usermgmt.UserID, version int64) string {
	return fmt.Sprintf("%s in version %d", id, version)
}

// itself reports whether the user is the one with the id, whole.
func itself(u usermgmt.User, id usermgmt.UserID) bool {
	return u.ID == id && u.Username == string(id) && u.LastName == lastName(id, u.Version)
}

// TestCancelStorm lets many callers of one Manager give up at random moments.
// Nobody ever gets the answer to another's question, no row is half of one
// version and half of another, errors are the context's own, and every connection is good afterwards.
func TestCancelStorm(t *testing.T) {
	t.Parallel()
	for kind, open := range openers {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			m := managers(t, open(t))[0]
			questions := tier.Count(400, 4_000, 100_000, 1_000_000)
			if kind == "pgstore" { // a cancelled query costs its connection
				questions = tier.Count(0, 800, 100_000, 1_000_000)
			}
			leavesNobody(t, func() { storm(t, m, questions) })
		})
	}
}

func storm(t *testing.T, m *usermgmt.Manager, questions int) {
	for i := range crowd {
		_, err := m.CreateUser(t.Context(), usermgmt.NewUser{ID: crowdID(i), Username: string(crowdID(i)), LastName: lastName(crowdID(i), 1)})
		require.NoError(t, err)
	}
	const callers = 8
	var answered, cancelled, unknown atomic.Int64
	var wg sync.WaitGroup
	for caller := range callers {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(8, uint64(caller)))
			for range questions / callers {
				// Some give up before they begin, most in the middle, some never.
				ctx, cancel := context.WithTimeout(t.Context(), 1<<random.IntN(22)) // nanoseconds
				err := ask(ctx, m, random)
				cancel()
				switch {
				case err == nil:
					answered.Add(1)
				case errors.Is(err, context.DeadlineExceeded):
					cancelled.Add(1)
				case errors.Is(err, usermgmt.ErrUnknownOutcome):
					unknown.Add(1)
				default:
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	require.Positive(t, answered.Load())
	require.Positive(t, cancelled.Load())
	for i := range crowd {
		u, err := m.User(t.Context(), crowdID(i))
		require.NoError(t, err)
		require.True(t, itself(u, u.ID), "%+v", u)
	}
	t.Logf("%d questions: %d answered, %d cancelled, %d with an unknown outcome, 0 wrong rows", questions, answered.Load(), cancelled.Load(), unknown.Load())
}

// ask does one thing at random. A wrong answer is an error of its own.
func ask(ctx context.Context, m *usermgmt.Manager, random *rand.Rand) error {
	id := crowdID(random.IntN(crowd))
	wrong := func(got any) error { return fmt.Errorf("asked for %s, got %+v", id, got) }
	switch random.IntN(4) {
	case 0:
		u, err := m.User(ctx, id)
		if err == nil && !itself(u, id) {
			return wrong(u)
		}
		return err
	case 1:
		u, err := m.UserByUsername(ctx, string(id))
		if err == nil && !itself(u, id) {
			return wrong(u)
		}
		return err
	case 2:
		users, err := m.UsersByID(ctx, []usermgmt.UserID{id, crowdID(0)})
		if err != nil {
			return err
		}
		for _, u := range users {
			if u.ID != id && u.ID != crowdID(0) || !itself(u, u.ID) {
				return wrong(u)
			}
		}
		if want := map[bool]int{true: 1, false: 2}[id == crowdID(0)]; len(users) != want {
			return wrong(users)
		}
		return nil
	}
	u, err := m.User(ctx, id)
	if err != nil {
		return err
	}
	name := lastName(id, u.Version+1)
	u, err = m.UpdateUser(ctx, id, usermgmt.UserUpdate{Version: u.Version, LastName: &name})
	if errors.Is(err, usermgmt.ErrStale) {
		return nil // another was faster
	}
	if err == nil && !itself(u, id) {
		return wrong(u)
	}
	return err
}

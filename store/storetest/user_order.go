package storetest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/usermgmt-go/usermgmt/store"
)

// ordered checks UserAt and CountUsers against the sorted ids of all users, at
// the ends and at some places in between.
func ordered(t *trial, r store.Reader, rnd *rand.Rand, ids []string) {
	t.Helper()
	n, err := r.CountUsers(t.ctx, store.UserQuery{})
	t.ok("CountUsers", err)
	t.equal("CountUsers", n, int64(len(ids)))
	places := []int{0, 1, 2, len(ids) - 2, len(ids) - 1}
	for range 60 {
		places = append(places, rnd.IntN(max(1, len(ids))))
	}
	for p := 64; p < len(ids); p *= 2 {
		places = append(places, p-1, p, p+1)
	}
	for _, p := range places {
		if p < 0 || p >= len(ids) {
			continue
		}
		got, err := r.UserAt(t.ctx, int64(p))
		t.ok("UserAt", err)
		if !t.equal(fmt.Sprintf("UserAt(%d) of %d", p, len(ids)), string(got), ids[p]) {
			return
		}
	}
	for _, past := range []int64{int64(len(ids)), int64(len(ids)) + 1, 1 << 31, 1 << 32, 1 << 53, math.MaxInt64} {
		_, err := r.UserAt(t.ctx, past)
		t.fails(fmt.Sprintf("UserAt(%d) of %d", past, len(ids)), err, store.ErrNotFound)
	}
}

func userOrderCases() []testCase {
	return []testCase{
		{"UserAt_of_an_empty_realm_is_not_found", func(t *trial) {
			t.view(func(r store.Reader) error {
				_, err := r.UserAt(t.ctx, 0)
				t.fails("UserAt(0)", err, store.ErrNotFound)
				n, err := r.CountUsers(t.ctx, store.UserQuery{})
				t.equal("CountUsers", n, int64(0))
				return err
			})
		}},
		{"UserAt_of_a_negative_place_is_invalid", func(t *trial) {
			granted(t)
			t.view(func(r store.Reader) error {
				for _, n := range []int64{-1, -5, math.MinInt64} {
					_, err := r.UserAt(t.ctx, n)
					t.invalid(fmt.Sprintf("UserAt(%d)", n), err, "")
				}
				return nil
			})
		}},
		{"UserAt_follows_the_writes_of_its_unit", func(t *trial) {
			granted(t)
			rnd := rand.New(rand.NewPCG(1, 1))
			t.update(func(tx store.Tx) error {
				err := must(tx.CreateUser(t.ctx, plainUser("bb")), tx.DeleteUser(t.ctx, "a"))
				ordered(t, tx, rnd, []string{"b", "bb", "c", "d", "e"})
				return err
			})
			t.view(func(r store.Reader) error {
				ordered(t, r, rnd, []string{"b", "bb", "c", "d", "e"})
				return nil
			})
		}},
		{"UserAt_and_count_agree_with_a_model_of_thousands", func(t *trial) {
			if testing.Short() {
				manyUsers(t, 1100, 2)
				return
			}
			manyUsers(t, 2600, 6)
		}},
		{"UserAt_orders_ids_by_bytes", func(t *trial) {
			ids := slices.Clone(lookalikes)
			slices.Sort(ids)
			t.update(func(tx store.Tx) error {
				var err error
				for i, id := range lookalikes {
					u := plainUser(fmt.Sprint(i))
					u.ID = store.UserID(id)
					err = must(err, tx.CreateUser(t.ctx, u))
				}
				return err
			})
			t.view(func(r store.Reader) error {
				for i, id := range ids {
					got, err := r.UserAt(t.ctx, int64(i))
					t.ok("UserAt", err)
					t.equal(fmt.Sprintf("UserAt(%d)", i), string(got), id)
				}
				return nil
			})
		}},
		{"UsersByID_returns_those_that_exist_in_order_each_once", func(t *trial) {
			granted(t)
			t.view(func(r store.Reader) error {
				for _, c := range []struct {
					ask  []store.UserID
					want []string
				}{
					{nil, nil},
					{[]store.UserID{}, nil},
					{[]store.UserID{"x", ""}, nil},
					{[]store.UserID{"c", "a", "nobody", "c", "b", "a", "A"}, []string{"a", "b", "c"}},
				} {
					asked := slices.Clone(c.ask)
					us, err := r.UsersByID(t.ctx, asked)
					t.ok("UsersByID", err)
					t.equal(fmt.Sprintf("UsersByID(%q)", c.ask), userIDs(us), c.want)
					t.equal("the ids that were asked for", asked, slices.Clone(c.ask))
					if len(c.want) == 0 {
						t.equal("UsersByID", us, []store.User(nil))
					}
				}
				return nil
			})
		}},
		{"UsersByID_takes_10000_ids", func(t *trial) {
			granted(t)
			ask := make([]store.UserID, 10_000)
			for i := range ask {
				ask[i] = store.UserID(fmt.Sprintf("absent-%05d", i))
			}
			ask[0], ask[4_999], ask[9_999] = "e", "a", "c"
			t.view(func(r store.Reader) error {
				us, err := r.UsersByID(t.ctx, ask)
				t.equal("UsersByID", userIDs(us), []string{"a", "c", "e"})
				return err
			})
		}},
	}
}

// manyUsers inserts and deletes thousands of users at random and by whole
// ranges, some of it rolled back, and compares with a sorted list of their ids.
func manyUsers(t *trial, size, rounds int) {
	var (
		rnd  = rand.New(rand.NewPCG(7, 11))
		ids  []string
		here = map[string]bool{}
	)
	add := func(tx store.Tx, ids []string, n int) ([]string, error) {
		for range n {
			id := fmt.Sprintf("%08x", rnd.Uint32())
			if at, there := slices.BinarySearch(ids, id); !there {
				if err := tx.CreateUser(t.ctx, plainUser(id)); err != nil {
					return ids, err
				}
				ids = slices.Insert(ids, at, id)
			}
		}
		return ids, nil
	}
	remove := func(tx store.Tx, ids []string, from, to int) ([]string, error) {
		for _, id := range ids[from:to] {
			if err := tx.DeleteUser(t.ctx, store.UserID(id)); err != nil {
				return ids, err
			}
		}
		return slices.Delete(ids, from, to), nil
	}
	unit := func(fn func(tx store.Tx, ids []string) ([]string, error), give error) {
		t.Helper()
		var after []string
		err := t.store.Update(t.ctx, realm, func(tx store.Tx) (err error) {
			if after, err = fn(tx, slices.Clone(ids)); err != nil {
				return err
			}
			ordered(t, tx, rnd, after)
			return give
		})
		if give != nil {
			t.fails("Update", err, give)
		} else if t.ok("Update", err) {
			ids = after
		}
		t.view(func(r store.Reader) error {
			ordered(t, r, rnd, ids)
			return nil
		})
		if t.Failed() {
			t.FailNow()
		}
	}
	unit(func(tx store.Tx, ids []string) ([]string, error) { return add(tx, ids, size) }, nil)
	for round := range rounds {
		give := error(nil)
		if round%3 == 2 {
			give = errWanted
		}
		unit(func(tx store.Tx, ids []string) ([]string, error) { return add(tx, ids, size/20) }, give)
		unit(func(tx store.Tx, ids []string) ([]string, error) {
			from := rnd.IntN(len(ids))
			return remove(tx, ids, from, min(len(ids), from+size/8))
		}, give)
		unit(func(tx store.Tx, ids []string) ([]string, error) { // here and there, mixed
			for range size / 40 {
				at := rnd.IntN(len(ids))
				var err error
				if ids, err = remove(tx, ids, at, at+1); err != nil {
					return ids, err
				}
				if ids, err = add(tx, ids, 1); err != nil {
					return ids, err
				}
			}
			return ids, nil
		}, give)
	}
	// A walk by pages meets exactly these.
	t.view(func(r store.Reader) error {
		q := store.UserQuery{Limit: 251}
		for {
			us, err := r.Users(t.ctx, q)
			if err != nil || len(us) == 0 {
				t.equal("users met by the walk", len(here), len(ids))
				return err
			}
			for _, u := range us {
				here[string(u.ID)] = true
			}
			q.After = us[len(us)-1].ID
		}
	})
	unit(func(tx store.Tx, ids []string) ([]string, error) { return remove(tx, ids, 0, len(ids)) }, nil)
	unit(func(tx store.Tx, ids []string) ([]string, error) { return add(tx, ids, 10) }, nil)
}

package storetest

import (
	"context"
	"math"

	"github.com/usermgmt-go/usermgmt/store"
)

// pageCases are the promises of lists. There are seven records, created out of
// order.
func (n noun[R]) pageCases() []testCase {
	const count = 7
	seed := func(t *trial) {
		t.Helper()
		t.update(func(tx store.Tx) error {
			err := n.base(t.ctx, tx, count)
			for i := range count {
				err = must(err, n.create(tx, t.ctx, n.sample((i*3+2)%count)))
			}
			return err
		})
	}
	span := func(from, to int) []R {
		var rs []R
		for i := from; i < to; i++ {
			rs = append(rs, n.sample(i))
		}
		return rs
	}
	var start R
	list := "list of " + n.name
	page := func(t *trial, after R, limit int) (rs []R) {
		t.Helper()
		t.view(func(r store.Reader) (err error) {
			rs, err = n.page(r, t.ctx, after, limit)
			return err
		})
		return rs
	}
	return []testCase{
		{"page_is_whole_and_in_the_order_of_ids", func(t *trial) {
			seed(t)
			t.equal(list, page(t, start, 100), span(0, count))
		}},
		{"page_has_at_most_limit_records", func(t *trial) {
			seed(t)
			for _, limit := range []int{1, 3, count - 1, count, count + 1, math.MaxInt} {
				t.equal(list, page(t, start, limit), span(0, min(limit, count)))
			}
		}},
		{"page_of_limit_0_or_less_is_nil", func(t *trial) {
			seed(t)
			for _, limit := range []int{0, -1, math.MinInt} {
				t.equal(list, page(t, start, limit), []R(nil))
			}
		}},
		{"page_starts_after_the_given_id", func(t *trial) {
			seed(t)
			for i := range count - 1 {
				t.equal(list, page(t, n.sample(i), 2), span(i+1, min(i+3, count)))
			}
		}},
		{"page_after_the_last_id_is_nil", func(t *trial) {
			seed(t)
			t.equal(list, page(t, n.sample(count-1), 10), []R(nil))
			t.equal(list, page(t, n.sample(count+5), 10), []R(nil))
		}},
		{"page_of_nothing_is_nil", func(t *trial) {
			t.update(func(tx store.Tx) error { return n.base(t.ctx, tx, 1) })
			t.equal(list, page(t, start, 10), []R(nil))
		}},
		{"page_goes_on_after_a_vanished_id", func(t *trial) {
			seed(t)
			first := page(t, start, 3)
			t.equal(list, first, span(0, 3))
			t.update(func(tx store.Tx) error { return n.drop(t.ctx, tx, 2) })
			t.equal(list, page(t, n.sample(2), 10), span(3, count))
			t.equal(list, page(t, n.sample(1), 10), span(3, count))
		}},
		{"walk_meets_each_record_once", func(t *trial) {
			seed(t)
			for limit := 1; limit <= count; limit++ {
				var all []R
				for after := start; ; {
					got := page(t, after, limit)
					if len(got) == 0 || len(all) > count {
						break
					}
					all = append(all, got...)
					after = got[len(got)-1]
				}
				t.equal(list, all, span(0, count))
			}
		}},
		{"page_of_a_unit_shows_its_own_writes", func(t *trial) {
			seed(t)
			t.update(func(tx store.Tx) error {
				return must(
					n.drop(t.ctx, tx, 0), n.drop(t.ctx, tx, 4),
					n.expectPage(t, t.ctx, tx, append(span(1, 4), span(5, count)...)),
					n.create(tx, t.ctx, n.sample(4)),
					n.expectPage(t, t.ctx, tx, span(1, count)),
				)
			})
			t.equal(list, page(t, start, 10), span(1, count))
		}},
	}
}

// expectPage checks the whole list within a unit.
func (n noun[R]) expectPage(t *trial, ctx context.Context, r store.Reader, want []R) error {
	t.Helper()
	var start R
	got, err := n.page(r, ctx, start, 100)
	t.equal("list of "+n.name, got, want)
	return err
}

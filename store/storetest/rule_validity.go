package storetest

import (
	"fmt"
	"reflect"
	"time"

	"github.com/usermgmt-go/usermgmt/store"
)

// moments are times that a store could lose something of.
var moments = []store.Time{
	{},
	time.Unix(0, 0).UTC(), // not "none"
	time.UnixMicro(1).UTC(),
	time.UnixMicro(-1).UTC(),
	time.Date(1969, 12, 31, 23, 59, 58, 1_000, time.UTC),
	time.Date(1, 1, 1, 0, 0, 0, 1_000, time.UTC), // a microsecond after "none"
	time.Date(1582, 10, 10, 0, 0, 0, 999_999_000, time.UTC),
	time.Date(2016, 12, 31, 23, 59, 59, 999_999_000, time.UTC),
	time.Date(2038, 1, 19, 3, 14, 8, 123_456_000, time.UTC),
	time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC),
}

func (n noun[R]) validityCases() []testCase {
	cs := []testCase{
		{"create_of_an_invalid_record_is_refused_and_nothing_written", func(t *trial) {
			n.seed(t, 3, 2)
			before := t.picture(realm)
			t.update(func(tx store.Tx) error {
				n.refuse(t, "Create"+n.name, n.spoil(2), func(r R) error {
					return n.create(tx, t.ctx, r)
				})
				return nil
			})
			t.samePicture("after the refused creations", realm, before)
		}},
		{"times_are_kept_to_the_microsecond", func(t *trial) {
			t.update(func(tx store.Tx) error { return n.base(t.ctx, tx, len(moments)) })
			want := make([]R, len(moments))
			for i, m := range moments {
				want[i] = n.sample(i)
				for _, f := range timeFields[R]() {
					reflect.ValueOf(&want[i]).Elem().Field(f).Set(reflect.ValueOf(m))
				}
			}
			t.update(func(tx store.Tx) error {
				var err error
				for _, r := range want {
					err = must(err, n.create(tx, t.ctx, r))
				}
				return err
			})
			t.view(func(r store.Reader) error {
				for _, w := range want {
					t.equal(n.name, n.get(t, r, w), w)
				}
				return nil
			})
		}},
	}
	if n.update != nil {
		cs = append(cs, testCase{"update_to_an_invalid_record_is_refused_and_nothing_written", func(t *trial) {
			n.seed(t, 2, 2)
			before := t.picture(realm)
			t.update(func(tx store.Tx) error {
				n.refuse(t, "Update"+n.name, n.spoil(0), func(r R) error {
					return n.update(tx, t.ctx, r)
				})
				return nil
			})
			t.samePicture("after the refused updates", realm, before)
		}})
	}
	return cs
}

// refuse checks that a call refuses each of the records for its fault.
func (n noun[R]) refuse(t *trial, call string, faulty []spoiled[R], do func(R) error) {
	t.Helper()
	for _, f := range faulty {
		if f.record.Check() == nil {
			t.Errorf("the contract's Check accepts a %s with %s", n.name, f.what)
		}
		t.invalid(fmt.Sprintf("%s with %s", call, f.what), do(f.record), f.field)
	}
}

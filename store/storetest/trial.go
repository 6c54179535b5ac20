package storetest

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"testing"

	"github.com/usermgmt-go/usermgmt/store"
)

// The realms that cases use. Most know realm alone.
const (
	realm store.Realm = "main"
	other store.Realm = "Main" // differs in case: realms compare by bytes
)

// trial is a running case: its test, its store, and a context that ends when
// the case has taken too long. The context is a field because a trial lives for
// the one call of the case that it would be an argument of.
//
// Its checks do not end the case, since most run inside a unit of work, which
// must end by returning. Checks stand inside a unit only where nothing runs
// beside it: a unit that meets another one may run twice, and may be told of
// the conflict by any of its calls.
type trial struct {
	testing.TB
	store store.Store
	ctx   context.Context
}

// update runs a unit in the main realm and ends the case if it fails.
func (t *trial) update(fn func(tx store.Tx) error) {
	t.Helper()
	t.updateIn(realm, fn)
}

func (t *trial) updateIn(r store.Realm, fn func(tx store.Tx) error) {
	t.Helper()
	if err := t.store.Update(t.ctx, r, fn); err != nil {
		t.Fatalf("Update(%q): got %v, want nil", r, err)
	}
}

// view runs a unit that reads the main realm and ends the case if it fails.
func (t *trial) view(fn func(r store.Reader) error) {
	t.Helper()
	t.viewIn(realm, fn)
}

func (t *trial) viewIn(r store.Realm, fn func(r store.Reader) error) {
	t.Helper()
	if err := t.store.View(t.ctx, r, fn); err != nil {
		t.Fatalf("View(%q): got %v, want nil", r, err)
	}
}

// picture returns the picture of a realm.
func (t *trial) picture(r store.Realm) picture {
	t.Helper()
	var p picture
	t.viewIn(r, func(r store.Reader) (err error) {
		p, err = take(t.ctx, r)
		return err
	})
	return p
}

// samePicture checks that a realm looks as it did.
func (t *trial) samePicture(what string, r store.Realm, want picture) {
	t.Helper()
	got := t.picture(r)
	for _, k := range want.keys() {
		if !reflect.DeepEqual(got[k], want[k]) {
			t.Errorf("%s: %s\n got: %+v\nwant: %+v", what, k, got[k], want[k])
		}
	}
}

// equal checks a result by its whole structure; nil and empty lists differ.
func (t *trial) equal(call string, got, want any) bool {
	t.Helper()
	if reflect.DeepEqual(got, want) {
		return true
	}
	t.Errorf("%s\n got: %+v\nwant: %+v", call, got, want)
	return false
}

// ok checks that a call succeeded.
func (t *trial) ok(call string, err error) bool {
	t.Helper()
	if err != nil {
		t.Errorf("%s: got error %v, want nil", call, err)
	}
	return err == nil
}

// fails checks the category of an error.
func (t *trial) fails(call string, err, want error) bool {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got error %v, want %v", call, err, want)
		return false
	}
	return true
}

// duplicate checks for an ExistsError of a field.
func (t *trial) duplicate(call string, err error, field string) {
	t.Helper()
	var e *store.ExistsError
	if !errors.As(err, &e) || e.Field != field || !errors.Is(err, store.ErrExists) {
		t.Errorf("%s: got error %v, want an ExistsError of %q", call, err, field)
	}
}

// invalid checks for an InvalidError; the field counts unless it is empty.
func (t *trial) invalid(call string, err error, field string) {
	t.Helper()
	var e *store.InvalidError
	if field == "" {
		t.fails(call, err, store.ErrInvalid)
		return
	}
	if !errors.As(err, &e) || e.Field != field || !errors.Is(err, store.ErrInvalid) {
		t.Errorf("%s: got error %v, want an InvalidError of %q", call, err, field)
	}
}

// race runs fn n times at once and returns the errors by index.
func race(n int, fn func(i int) error) []error {
	var (
		errs  = make([]error, n)
		start = make(chan struct{})
		wg    sync.WaitGroup
	)
	for i := range n {
		wg.Go(func() {
			<-start
			errs[i] = fn(i)
		})
	}
	close(start)
	wg.Wait()
	return errs
}

// must joins the errors of several calls that are all to succeed.
func must(errs ...error) error { return errors.Join(errs...) }

// errWanted is what a unit returns that is to leave nothing behind.
var errWanted = errors.New("the unit is to be rolled back")

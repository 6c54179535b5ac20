package pgstore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/pprof"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt/store"
)

// patient bounds the waits of a load's test.
const patient = time.Minute

// label is what the goroutines of a test's load have, and those that they start:
// the test's name.
const label = "test"

// everybody is the user whom all writers change.
const everybody store.UserID = "everybody"

// load is what faults happen to: writers that go from deed to deed and write
// down what they were told, and two readers, one of the log and one of records.
type load struct {
	store   store.Store
	writers []*writer
	working sync.WaitGroup
	ending  atomic.Bool // no new deeds
	reading sync.WaitGroup
	last    chan struct{} // closed when the readers are to read a last time
	end     func()        // waits for the writers' last deeds, and for the readers to have read them
	flying  atomic.Int64  // deeds that are under way
	news    chan struct{} // that a deed was acknowledged

	met []string // the objects of the events that the reader of the log has met, for others when he has ended

	mu       sync.Mutex
	problems []string
}

// writer has a user of his own whose versions he counts, creates users with
// tokens, and uses tokens, each of which another writer is after as well.
type writer struct {
	*load
	number       int
	own          store.UserID
	journal      []deed                 // for others when he has ended
	acknowledged atomic.Int64           // deeds
	version      atomic.Int64           // of his own user, as he was told
	token        atomic.Pointer[string] // the last that he has made
}

// startLoad runs writers on a store without users.
func startLoad(t testing.TB, s store.Store, writers int) *load {
	t.Helper()
	l := &load{store: s, last: make(chan struct{}), news: make(chan struct{}, 1)}
	update(t, s, func(tx store.Tx) error { return tx.CreateUser(t.Context(), person(string(everybody))) })
	for i := range writers {
		w := &writer{load: l, number: i, own: store.UserID(fmt.Sprintf("own.%d", i))}
		w.version.Store(1)
		update(t, s, func(tx store.Tx) error {
			return errors.Join(tx.CreateUser(t.Context(), person(string(w.own))), tx.CreateSession(t.Context(), session(string(w.own), string(w.own))))
		})
		l.writers = append(l.writers, w)
	}
	l.end = sync.OnceFunc(func() {
		l.ending.Store(true)
		l.working.Wait()
		close(l.last)
		l.reading.Wait()
	})
	t.Cleanup(l.end) // of a test that fails before
	pprof.Do(t.Context(), pprof.Labels(label, t.Name()), func(ctx context.Context) {
		for _, w := range l.writers {
			l.working.Go(func() { w.work(ctx) })
		}
		l.reading.Go(func() { l.readLog(ctx) })
		l.reading.Go(func() { l.readRecords(ctx) })
	})
	return l
}

func (l *load) problem(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.problems = append(l.problems, fmt.Sprintf(format, args...))
}

// acknowledged returns how many deeds each writer has been told are done.
func (l *load) acknowledged() (each []int64, all int64) {
	for _, w := range l.writers {
		n := w.acknowledged.Load()
		each, all = append(each, n), all+n
	}
	return each, all
}

// await returns when the deeds that were acknowledged are enough.
func (l *load) await(t testing.TB, what string, enough func(each []int64, all int64) bool) {
	t.Helper()
	end := time.NewTimer(patient)
	defer end.Stop()
	for !enough(l.acknowledged()) {
		select {
		case <-l.news:
		case <-end.C:
			require.FailNow(t, "waited too long for "+what)
		}
	}
}

// strike lets a fault happen in the midst of the writers' deeds, some deeds after
// the last one. The fault returns when the server takes writes; strike returns
// how many deeds were under way before, and how long it took from then on until
// every writer was told that another one is done.
func (l *load) strike(t testing.TB, random *rand.Rand, fault func()) (underWay int64, back time.Duration) {
	t.Helper()
	_, before := l.acknowledged()
	due := before + 1 + random.Int64N(20*int64(len(l.writers)))
	l.await(t, "deeds between faults", func(_ []int64, all int64) bool { return all >= due })
	underWay = l.flying.Load()
	fault()
	start := time.Now()
	marks, _ := l.acknowledged()
	l.await(t, "deeds after a fault", func(each []int64, _ int64) bool {
		for i, n := range each {
			if n == marks[i] {
				return false
			}
		}
		return true
	})
	return underWay, time.Since(start)
}

func (w *writer) work(ctx context.Context) {
	previous := w.writers[(w.number+len(w.writers)-1)%len(w.writers)]
	for theirs := ""; !w.ending.Load(); {
		token, ok := w.create(ctx)
		w.count(ctx)
		w.share(ctx)
		if ok {
			w.use(ctx, token)
		}
		if p := previous.token.Load(); p != nil && *p != theirs {
			theirs = *p
			w.use(ctx, theirs)
		}
	}
}

func (w *writer) create(ctx context.Context) (token string, ok bool) {
	d := w.next(creates)
	d.token = d.name()
	w.do(ctx, &d, func(tx store.Tx) error {
		return errors.Join(tx.CreateUser(ctx, person(d.name())), tx.CreateToken(ctx, store.Token{
			Digest: digestOf(d.token), Kind: store.TokenRefresh, UserID: w.own, SessionID: store.SessionID(w.own),
		}))
	}, func(tx store.Tx) (bool, error) {
		_, err := tx.User(ctx, store.UserID(d.name()))
		if errors.Is(err, store.ErrNotFound) {
			return false, nil
		}
		return err == nil, err
	})
	if d.told == done {
		w.token.Store(&d.token)
	}
	return d.token, d.told == done
}

func (w *writer) count(ctx context.Context) {
	d, was := w.next(counts), w.version.Load()
	w.do(ctx, &d, func(tx store.Tx) error { return oneMore(ctx, tx, w.own) }, func(tx store.Tx) (bool, error) {
		u, err := tx.User(ctx, w.own)
		return u.Version > was, err
	})
	if d.told == done {
		w.version.Store(was + 1)
	}
}

// share cannot be looked up: the version may be of another writer's making.
func (w *writer) share(ctx context.Context) {
	d := w.next(shares)
	w.do(ctx, &d, func(tx store.Tx) error { return oneMore(ctx, tx, everybody) }, nil)
}

// oneMore gives a user another version.
func oneMore(ctx context.Context, tx store.Tx, id store.UserID) error {
	u, err := tx.User(ctx, id)
	if err != nil {
		return err
	}
	u.FirstName = fmt.Sprint(u.Version)
	return tx.UpdateUser(ctx, u)
}

func (w *writer) use(ctx context.Context, token string) {
	d := w.next(uses)
	d.token = token
	w.do(ctx, &d, func(tx store.Tx) error {
		_, err := tx.UseToken(ctx, store.TokenRefresh, digestOf(token), d.at())
		return err
	}, func(tx store.Tx) (bool, error) {
		k, err := tx.Token(ctx, store.TokenRefresh, digestOf(token))
		return k.UsedAt.Equal(d.at()), err
	})
}

func (w *writer) next(k kind) deed { return deed{kind: k, writer: w.number, number: len(w.journal)} }

// do does a deed and notes what came of it. One of unknown outcome is done
// again, if it can be looked up, in units that look it up first.
func (w *writer) do(ctx context.Context, d *deed, change func(store.Tx) error, lookUp func(store.Tx) (bool, error)) {
	defer func() { w.journal = append(w.journal, *d) }()
	w.flying.Add(1)
	defer w.flying.Add(-1)
	for {
		found := false
		err := w.store.Update(ctx, realm, func(tx store.Tx) (err error) {
			if found = false; d.doubts > 0 {
				if found, err = lookUp(tx); found || err != nil {
					return err
				}
			}
			if err := change(tx); err != nil {
				return err
			}
			return tx.AppendEvent(ctx, store.Event{Actor: "host", Action: "deed.done", Object: d.name()})
		})
		switch {
		case err == nil:
			d.told, d.found = done, found
			w.acknowledged.Add(1)
			select {
			case w.news <- struct{}{}:
			default:
			}
			return
		case errors.Is(err, store.ErrUnknownOutcome):
			d.doubts++
			if lookUp == nil {
				d.told = unsure
				return
			}
		case d.doubts > 0 && errors.Is(err, store.ErrBusy):
			rest()
		case d.kind == uses && errors.Is(err, store.ErrUsed):
			d.told = refused
			return
		default:
			if !errors.Is(err, store.ErrBusy) {
				w.problem("%s: %v", d.name(), err)
			}
			rest()
			return
		}
	}
}

// rest lets a server that is not there start: those who knock at it all the time take
// the processors that it needs for that.
func rest() { time.Sleep(50 * time.Millisecond) }

// view reads. A server that is not there must be known from the error.
func (l *load) view(ctx context.Context, fn func(store.Reader) error) bool {
	err := l.store.View(ctx, realm, fn)
	if err != nil && !errors.Is(err, store.ErrBusy) {
		l.problem("a View: %v", err)
	}
	return err == nil
}

// isLast reports whether the readers are to read a last time; otherwise it lets some time pass.
func (l *load) isLast() bool {
	next := time.NewTimer(2 * time.Millisecond)
	defer next.Stop()
	select {
	case <-l.last:
		return true
	case <-next.C:
		return false
	}
}

// readLog meets every event once, in the order of numbers, of which none is left out.
func (l *load) readLog(ctx context.Context) {
	const page = 200
	for last := false; ctx.Err() == nil; {
		var es []store.Event
		ok := l.view(ctx, func(r store.Reader) (err error) {
			es, err = r.Events(ctx, int64(len(l.met)), page)
			return err
		})
		for _, e := range es {
			l.met = append(l.met, e.Object)
			if e.Seq != int64(len(l.met)) {
				l.problem("the event after %d has number %d", len(l.met)-1, e.Seq)
				return
			}
		}
		switch {
		case ok && len(es) == page:
		case ok && last:
			return
		default:
			last = l.isLast()
		}
	}
}

// readRecords looks for what has just been acknowledged.
func (l *load) readRecords(ctx context.Context) {
	seen := int64(0)
	for last := false; !last; last = l.isLast() {
		for _, w := range l.writers {
			told := w.version.Load()
			var own, all store.User
			ok := l.view(ctx, func(r store.Reader) (err error) {
				if own, err = r.User(ctx, w.own); err != nil {
					return err
				}
				all, err = r.User(ctx, everybody)
				return err
			})
			if !ok {
				rest()
				continue
			}
			if own.Version < told || all.Version < seen {
				l.problem("versions %d and %d are read after %d and %d", own.Version, all.Version, told, seen)
				return // more of the same would hide the rest
			}
			seen = max(seen, all.Version)
		}
	}
}

// goroutines returns those that are there of the test's load, with their stacks.
func goroutines(t testing.TB) (labelled []string) {
	t.Helper()
	var b strings.Builder
	require.NoError(t, pprof.Lookup("goroutine").WriteTo(&b, 1))
	for g := range strings.SplitSeq(b.String(), "\n\n") {
		if strings.Contains(g, fmt.Sprintf("%q:%q", label, t.Name())) {
			labelled = append(labelled, g)
		}
	}
	return labelled
}

package pgstore

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt/store"
)

// deed is one unit of work of a load's writer, with an event, and what he was
// told of it.
type deed struct {
	kind   kind
	writer int
	number int    // among those of its writer
	token  string // that it makes or uses
	told   told
	// doubts is how often its outcome was unknown; found says that it was
	// there when it was looked up after that.
	doubts int
	found  bool
}

type kind string

const (
	creates kind = "creates" // a user and a token
	counts  kind = "counts"  // another version of the writer's user
	shares  kind = "shares"  // another version of everybody
	uses    kind = "uses"    // a token
)

type told int

const (
	failed  told = iota // nothing of it is there
	refused             // nor is there then: another one has used the token
	done                // it is there
	unsure              // it is there or not
)

func (d deed) name() string { return fmt.Sprintf("%s:%d.%d", d.kind, d.writer, d.number) }

// at is a moment that is the deed's alone.
func (d deed) at() store.Time {
	return time.UnixMicro(int64(d.number)*1000 + int64(d.writer) + 1).UTC()
}

func digestOf(token string) store.Digest { return sha256.Sum256([]byte(token)) }

// verdict is what the store holds of a journal.
type verdict struct {
	acknowledged, failed int
	// unknown outcomes, and how many of them were done all the same
	unknown, took int

	lost    int // acknowledged, and not there
	twice   int // there more than once
	undead  int // failed, and there
	partial int // there without its event, or the other way round

	problems []string // each of the above, and whatever else is wrong
}

func (v verdict) String() string {
	return fmt.Sprintf("%d acknowledged, %d lost, %d twice, %d failed, %d of them there, %d partial, %d unknown (%d of them done)",
		v.acknowledged, v.lost, v.twice, v.failed, v.undead, v.partial, v.unknown, v.took)
}

func (v *verdict) wrong(count *int, n int, format string, args ...any) {
	*count += n
	v.problems = append(v.problems, fmt.Sprintf(format, args...))
}

// requireFlawless fails the test if the store is not as the journal says.
func (v verdict) requireFlawless(t testing.TB) {
	t.Helper()
	if n := len(v.problems); n > 0 {
		require.FailNow(t, v.String(), "%d problems:\n%s", n, strings.Join(v.problems[:min(n, 20)], "\n"))
	}
}

// held is what a store holds of a load.
type held struct {
	events  []string // their objects
	users   map[string]int64
	counted int64
	usedAt  map[string]time.Time // of the tokens that are there
}

// hold reads what the store holds of the load.
func hold(t testing.TB, l *load) held {
	t.Helper()
	ctx := t.Context()
	h := held{users: map[string]int64{}, usedAt: map[string]time.Time{}}
	require.NoError(t, l.store.View(ctx, realm, func(r store.Reader) (err error) {
		for more := true; more; {
			es, err := r.Events(ctx, int64(len(h.events)), 1000)
			if err != nil {
				return err
			}
			for _, e := range es {
				h.events = append(h.events, e.Object)
			}
			more = len(es) > 0
		}
		for q := (store.UserQuery{Limit: 1000}); ; {
			us, err := r.Users(ctx, q)
			if err != nil {
				return err
			}
			if len(us) == 0 {
				break
			}
			for _, u := range us {
				h.users[string(u.ID)], q.After = u.Version, u.ID
			}
		}
		if h.counted, err = r.CountUsers(ctx, store.UserQuery{}); err != nil {
			return err
		}
		for _, w := range l.writers {
			for _, d := range w.journal {
				if d.kind != creates {
					continue
				}
				k, err := r.Token(ctx, store.TokenRefresh, digestOf(d.token))
				if err == nil {
					h.usedAt[d.token] = k.UsedAt
				} else if !errors.Is(err, store.ErrNotFound) {
					return err
				}
			}
		}
		return nil
	}))
	return h
}

// judge compares the journal of a load that has ended with what the store holds.
func (l *load) judge(t testing.TB) verdict {
	t.Helper()
	h := hold(t, l)
	v := verdict{problems: slices.Clone(l.problems)}
	if !slices.Equal(l.met, h.events) {
		v.problems = append(v.problems, fmt.Sprintf("the reader of the log has met %d events, and there are %d, or others", len(l.met), len(h.events)))
	}
	events := map[string]int{}
	for _, e := range h.events {
		events[e]++
	}
	versions := map[string]int64{}
	users := 1 + len(l.writers) // of startLoad
	for _, w := range l.writers {
		for _, d := range w.journal {
			v.judge(d, events[d.name()], h)
			n := min(1, events[d.name()])
			delete(events, d.name())
			switch d.kind {
			case creates:
				users += n
			case counts:
				versions[string(w.own)] += int64(n)
			case shares:
				versions[string(everybody)] += int64(n)
			}
		}
	}
	for id, n := range versions {
		switch more := h.users[id] - 1 - n; {
		case more > 0:
			v.wrong(&v.twice, int(more), "%s has %d versions more than events", id, more)
		case more < 0:
			v.wrong(&v.lost, int(-more), "%s has %d versions less than events", id, -more)
		}
	}
	if len(h.users) != users || int(h.counted) != users {
		v.problems = append(v.problems, fmt.Sprintf("there are %d users, counted as %d: want %d", len(h.users), h.counted, users))
	}
	for name := range events {
		v.problems = append(v.problems, "nobody did "+name)
	}
	return v
}

// judge compares one deed with the number of its events and with its record.
func (v *verdict) judge(d deed, events int, h held) {
	switch d.told {
	case done:
		v.acknowledged++
	case failed:
		v.failed++
	}
	v.unknown += d.doubts
	if d.found || d.told == unsure && events > 0 {
		v.took++
	}
	record := events > 0 // of counts and shares, which leave none of their own
	switch d.kind {
	case creates:
		_, user := h.users[d.name()]
		_, token := h.usedAt[d.token]
		if record = user && token; user != token {
			v.wrong(&v.partial, 1, "%s: user %t, token %t", d.name(), user, token)
		}
	case uses:
		record = h.usedAt[d.token].Equal(d.at())
	}
	there := record || events > 0
	switch {
	case d.told == done && !there:
		v.wrong(&v.lost, 1, "%s was acknowledged and is not there", d.name())
	case (d.told == failed || d.told == refused) && there:
		v.wrong(&v.undead, 1, "%s failed or was refused, and is there", d.name())
	case events > 1:
		v.wrong(&v.twice, 1, "%s has %d events", d.name(), events)
	case record != (events > 0):
		v.wrong(&v.partial, 1, "%s: record %t, events %d", d.name(), record, events)
	}
}

package usermgmt

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/usermgmt-go/usermgmt/store"
)

// A guess is one attempt at a password. It is counted as failed before the
// password is verified, and no longer once it has proved right. So what is tried at
// the same time, in whatever process, is bounded exactly, and a crash counts.
//
// Twenty right ones at the same time must not be refused for that, though: a
// guess for which there is no room, while others at the same login are under way
// in this process, waits for them. It tries again once one of them has proved right,
// and is refused once all have failed.
type guess struct {
	m *Manager
	// counted are the logins that it was counted under, each once.
	counted []store.Digest
	// at is the login that is being tried, place where others try it; nil if
	// this guess was not counted there, or has ended.
	at    tally
	key   placeKey
	place *place
}

// guesses are those that are under way by one Manager and its copies.
type guesses struct {
	mu     sync.Mutex
	places map[placeKey]*place
}

type placeKey struct {
	realm Realm
	login store.Digest
}

// place is where the guesses at one login meet. Fields but turn are guarded by
// guesses.mu.
type place struct {
	users int // guesses that know of it
	// turn is filled by the one guess that counts itself. The others would wait
	// for its lock in the store, each with a connection of its own.
	turn chan struct{}
	open int // guesses that are counted and not decided
	// right is how many proved right; news is closed, and made anew, when one does
	// or none is left open.
	right int
	news  chan struct{}
}

func (p *place) tell() {
	close(p.news)
	p.news = make(chan struct{})
}

// enter returns the place of a login, which the caller has to leave.
func (gs *guesses) enter(key placeKey) *place {
	gs.mu.Lock()
	defer gs.mu.Unlock()
	p := gs.places[key]
	if p == nil {
		if gs.places == nil {
			gs.places = map[placeKey]*place{}
		}
		p = &place{turn: make(chan struct{}, 1), news: make(chan struct{})}
		gs.places[key] = p
	}
	p.users++
	return p
}

func (gs *guesses) leave(key placeKey, p *place) {
	gs.mu.Lock()
	defer gs.mu.Unlock()
	if p.users--; p.users == 0 {
		delete(gs.places, key)
	}
}

// begin counts the guess at a login, unless there is no room for it: then it
// returns how long that will be so. A guess that has begun has to end. It is counted
// at a login once, however often it starts over.
func (g *guess) begin(ctx context.Context, t tally) (wait time.Duration, err error) {
	if g.m.opts.Throttle.Off {
		return 0, nil
	}
	if g.at.key != t.key {
		g.end(false)
	}
	g.at = t
	if slices.Contains(g.counted, t.key) {
		return 0, nil
	}
	gs, key := &g.m.derived.guesses, placeKey{g.m.realm, t.key}
	p := gs.enter(key)
	for {
		var news <-chan struct{}
		wait, news, err = g.count(ctx, gs, p)
		if err == nil && wait == 0 {
			g.key, g.place, g.counted = key, p, append(g.counted, t.key)
			return 0, nil
		}
		if err == nil && news != nil {
			select {
			case <-news:
				continue
			case <-ctx.Done():
				err = ctx.Err()
			}
		}
		gs.leave(key, p)
		return wait, err
	}
}

// count is one try of begin. If there is no room it returns what to wait for
// before another try, nil if none is of use.
func (g *guess) count(ctx context.Context, gs *guesses, p *place) (wait time.Duration, news <-chan struct{}, err error) {
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return 0, nil, ctx.Err()
	}
	gs.mu.Lock()
	right := p.right
	gs.mu.Unlock()
	if wait, err = g.m.countFailure(ctx, g.at); err != nil {
		return 0, nil, err
	}
	gs.mu.Lock()
	defer gs.mu.Unlock()
	switch {
	case wait == 0:
		p.open++
	case p.right != right: // since the store was asked
		now := make(chan struct{})
		close(now)
		news = now
	case p.open > 0:
		news = p.news
	}
	return wait, news, nil
}

// end says what has become of the guess, if it has begun: whether it proved
// right, which is then in the store already.
func (g *guess) end(right bool) {
	p := g.place
	if p == nil {
		return
	}
	gs := &g.m.derived.guesses
	gs.mu.Lock()
	p.open--
	if right {
		p.right++
	}
	if right || p.open == 0 {
		p.tell()
	}
	gs.mu.Unlock()
	gs.leave(g.key, p)
	g.place = nil
}

// forget deletes what was counted at the login, in the unit by which the guess
// proves right.
func (g *guess) forget(ctx context.Context, tx store.Tx) error {
	if g.m.opts.Throttle.Off {
		return nil
	}
	return g.at.forget(ctx, tx)
}

// prove is forget and end for a guess that needs no unit otherwise.
func (g *guess) prove(ctx context.Context) error {
	if g.m.opts.Throttle.Off {
		return nil
	}
	err := g.m.store.Update(ctx, g.m.realm, func(tx store.Tx) error { return g.forget(ctx, tx) })
	g.end(err == nil)
	return err
}

// verify reports whether the password is that of the login. One that could not
// be verified for want of a slot was no guess, also if the caller has stopped
// waiting for one.
func (g *guess) verify(ctx context.Context, l login, password string) (bool, error) {
	ok, err := g.m.slotVerify(ctx, l.hash, password)
	if err != nil && !g.m.opts.Throttle.Off {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), forgiveness)
		defer cancel()
		if ferr := g.m.forgive(ctx, g.at); ferr != nil {
			return false, errors.Join(err, ferr)
		}
	}
	return ok, err
}

// forgiveness is how long it may take to take back a count whose caller has gone.
const forgiveness = 5 * time.Second

// refusePasswords refuses passwords from an address that has failed too often.
// The attributes name whose they are, if that is known.
func (m *Manager) refusePasswords(ctx context.Context, event string, who ...slog.Attr) error {
	tallies := m.addressTally(ofPasswords)
	if len(tallies) == 0 || m.opts.Throttle.Off {
		return nil
	}
	wait, err := m.full(ctx, tallies...)
	if err != nil || wait == 0 {
		return err
	}
	return m.throttled(ctx, event, wait, append(who, slog.String("cause", "too many failures from the address"))...)
}

// failPassword refuses a password that was found wrong, and counts that against
// the caller's address.
func (m *Manager) failPassword(ctx context.Context, event, cause string, user UserID) error {
	if tallies := m.addressTally(ofPasswords); len(tallies) > 0 && !m.opts.Throttle.Off {
		if _, err := m.countFailure(ctx, tallies...); err != nil {
			return err
		}
	}
	return m.refuse(ctx, slog.LevelInfo, event+".refused", append(whoever(user), slog.String("cause", cause))...)
}

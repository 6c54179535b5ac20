package phc

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
)

// ErrBusy: all slots are taken and the queue for them is full. The caller
// should try again later (HTTP: 503 with Retry-After).
var ErrBusy = errors.New("too many passwords are waiting to be hashed")

// defaultQueue is the number of waiting callers for each slot: some ten
// seconds of work at the default cost.
const defaultQueue = 256

// heavy is the memory above which hashings run one at a time, in bytes. It is
// the greatest default of well-known libraries.
const heavy = 64 << 20

// Slots bounds how many passwords are hashed at once, and how many callers
// wait for their turn, which comes in the order of arrival. It is safe for
// concurrent use and has no goroutine of its own.
//
// Verify and Hash also bound memory: hashings of more than 64 MiB, which only
// imported hashes and unusual parameters ask for, wait for each other. So n
// slots use at most 256 MiB and n-1 times 64 MiB.
type Slots struct {
	slots   chan struct{} // filled by who holds a slot
	heavy   chan struct{} // filled by who holds a slot, or waits for one, with much memory
	queue   int64
	waiting atomic.Int64
}

// NewSlots returns n slots, at least one, with room for queue waiting callers;
// 0 or less means 256 for each slot.
func NewSlots(n, queue int) *Slots {
	n = max(n, 1)
	if queue <= 0 {
		queue = n * defaultQueue
	}
	return &Slots{slots: make(chan struct{}, n), heavy: make(chan struct{}, 1), queue: int64(queue)}
}

// Acquire takes a slot. The caller must call release when done; calling it
// again does nothing. The error is ctx.Err() if no slot becomes free before
// the context is done, and [ErrBusy] if too many callers wait already.
func (s *Slots) Acquire(ctx context.Context) (release func(), err error) {
	return s.acquire(ctx, 0)
}

// Do runs fn while it holds a slot, and returns nil; otherwise it returns an
// error of Acquire and does not run fn. The slot is released if fn panics.
func (s *Slots) Do(ctx context.Context, fn func()) error {
	return s.do(ctx, 0, fn)
}

// Verify is [Hash.Verify] in a slot; its errors are those of Acquire.
func (s *Slots) Verify(ctx context.Context, h Hash, password string) (ok bool, err error) {
	err = s.do(ctx, h.Memory(), func() { ok = h.Verify(password) })
	return ok, err
}

// Hash is [Params.Hash] in a slot; its errors are those of both and of Acquire.
func (s *Slots) Hash(ctx context.Context, p Params, random io.Reader, password string) (text string, err error) {
	if err := p.Check(); err != nil {
		return "", err
	}
	var fault error
	if err := s.do(ctx, p.Memory(), func() { text, fault = p.Hash(random, password) }); err != nil {
		return "", err
	}
	return text, fault
}

func (s *Slots) do(ctx context.Context, memory int64, fn func()) error {
	release, err := s.acquire(ctx, memory)
	if err != nil {
		return err
	}
	defer release()
	fn()
	return nil
}

// acquire takes the heavy place first, so that who waits for it holds no slot.
func (s *Slots) acquire(ctx context.Context, memory int64) (release func(), err error) {
	if memory > heavy {
		if err := s.enter(ctx, s.heavy); err != nil {
			return nil, err
		}
	}
	if err := s.enter(ctx, s.slots); err != nil {
		if memory > heavy {
			<-s.heavy
		}
		return nil, err
	}
	return sync.OnceFunc(func() {
		<-s.slots
		if memory > heavy {
			<-s.heavy
		}
	}), nil
}

// enter waits for room in places.
func (s *Slots) enter(ctx context.Context, places chan struct{}) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case places <- struct{}{}:
		return nil
	default:
	}
	defer s.waiting.Add(-1)
	if s.waiting.Add(1) > s.queue {
		return ErrBusy
	}
	// A place that becomes free goes to the sender that has waited longest.
	select {
	case places <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

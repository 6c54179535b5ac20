package usermgmt

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"time"
)

// Throttle says how fast secrets may be guessed. Failed attempts are counted in
// the store, for all Managers on it together, each of them by the time of its
// own Clock. Attempts that are refused for their number are a [*ThrottledError],
// count no further, and cost no hash.
type Throttle struct {
	// Off counts nothing and refuses nobody, for hosts that throttle before
	// they call.
	Off bool
	// Account is how fast the password of one user may be guessed by one of his
	// names: 10 at once and then one a minute. Names that are nobody's are
	// throttled alike. An attempt counts as failed until it has succeeded, so
	// that guesses at the same time are bounded exactly; success forgets what
	// was counted, and so does a new password. By the same rate, but in a count of
	// its own, a user learns which addresses are others' by giving them to himself.
	Account Rate
	// AccountLimit is how many failures in a row, less than a day apart, end
	// all attempts by that name for a day, or until the password is set anew: 50,
	// which is 100 for a user with two names.
	AccountLimit int
	// Client is how fast the secret of one vendor's client id may be tried
	// without success: 100 at once and then one in 6 seconds. The right one
	// always passes, so nobody shuts a vendor out.
	Client Rate
	// Address is how fast passwords, and apart from them API keys, vendors'
	// secrets, one-time codes and refresh tokens, may be tried without success
	// from one address: 100 at once and then one in 6 seconds. It matters to
	// callers whose address is known; see [Manager.From]. Passwords from an
	// address over its rate are refused unseen; what has 256 random bits passes
	// if it is right.
	Address Rate
}

// Rate is so many failures at once, and then one more each time that a while
// has passed. Fields that are zero have the default.
type Rate struct {
	// Burst is how many there may be at once, 1 at least.
	Burst int
	// Every is how long it takes until there may be another: whole microseconds,
	// up to 366 days divided by Burst.
	Every time.Duration
}

// span is how long it takes until a whole burst is forgotten.
func (r Rate) span() time.Duration { return time.Duration(r.Burst) * r.Every }

// maxSpan bounds Rate.span.
const maxSpan = 366 * 24 * time.Hour

func (t *Throttle) setDefaults() error {
	for _, d := range []struct {
		name  string
		value *Rate
		def   Rate
	}{
		{"Throttle.Account", &t.Account, Rate{10, time.Minute}},
		{"Throttle.Client", &t.Client, Rate{100, 6 * time.Second}},
		{"Throttle.Address", &t.Address, Rate{100, 6 * time.Second}},
	} {
		if d.value.Burst == 0 {
			d.value.Burst = d.def.Burst
		}
		if d.value.Every == 0 {
			d.value.Every = d.def.Every
		}
		if d.value.Burst < 0 {
			return invalid(d.name+".Burst", "must not be negative")
		}
		d.value.Every = d.value.Every.Truncate(time.Microsecond)
		if d.value.Every <= 0 || d.value.Every > maxSpan/time.Duration(d.value.Burst) {
			return invalid(d.name+".Every", "must be a microsecond to 366 days divided by Burst")
		}
	}
	if t.AccountLimit < 0 {
		return invalid("Throttle.AccountLimit", "must not be negative")
	}
	if t.AccountLimit == 0 {
		t.AccountLimit = 50
	}
	return nil
}

// From returns the same Manager on behalf of a caller at that address, who is
// held to Throttle.Address. IPv6 addresses count by their first 64 bits, of
// which one subscriber has all; IPv4 addresses within IPv6 count as IPv4. The zero
// Addr is that of a caller whose address is not known, as is whoever does not
// come through From.
//
// The address must be one that the caller cannot choose: that of the connection,
// or what a proxy of the host's own says that it was.
func (m *Manager) From(addr netip.Addr) *Manager {
	c := *m
	c.from = netip.Prefix{}
	addr = addr.Unmap().WithZone("")
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	if p, err := addr.Prefix(bits); err == nil {
		c.from = p
	}
	return &c
}

// throttled logs that attempts were refused for their number, and returns what
// the caller may know.
func (m *Manager) throttled(ctx context.Context, event string, wait time.Duration, attrs ...slog.Attr) error {
	attrs = append(attrs, slog.Duration("retryAfter", wait))
	_ = m.refuse(ctx, slog.LevelWarn, event+".throttled", attrs...)
	return &ThrottledError{RetryAfter: wait}
}

// ThrottledError says that there were too many failed attempts, and when the
// next one may be made. It matches [ErrThrottled].
type ThrottledError struct {
	// RetryAfter is more than zero.
	RetryAfter time.Duration
}

func (e *ThrottledError) Error() string {
	return fmt.Sprintf("too many failed attempts: try again in %s", e.RetryAfter.Round(time.Millisecond))
}

// Is makes every ThrottledError match [ErrThrottled].
func (e *ThrottledError) Is(target error) bool { return target == ErrThrottled }

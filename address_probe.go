package usermgmt

import (
	"context"
	"errors"
	"log/slog"

	"github.com/usermgmt-go/usermgmt/store"
)

// probing runs an update by which a user gives himself an address. That it is
// taken tells him that somebody has it, so he learns that of as many addresses as
// Throttle.Account lets him guess passwords: each is counted before. The update
// calls free in its unit of work, which takes that back; so does a failure for
// another reason.
func (m *Manager) probing(ctx context.Context, id UserID, update func(free func(store.Tx) error) error) error {
	if m.opts.Throttle.Off {
		return update(func(store.Tx) error { return nil })
	}
	t := tally{key: tallyKey("own address", string(id)), rate: m.opts.Throttle.Account}
	wait, err := m.countFailure(ctx, t)
	if err != nil {
		return err
	}
	if wait > 0 {
		return m.throttled(ctx, "address", wait, append(whoever(id), slog.String("cause", "too many addresses that are taken"))...)
	}
	err = update(func(tx store.Tx) error { return t.forgive(ctx, tx, m.now()) })
	var taken *ExistsError
	if err == nil || errors.As(err, &taken) && taken.Field == "EmailKey" {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), forgiveness)
	defer cancel()
	return errors.Join(err, m.forgive(ctx, t))
}

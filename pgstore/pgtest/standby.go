package pgtest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"
)

// Standby starts a synchronous standby of the server, which is removed when the
// test ends. From its return on, a commit on the server is acknowledged only
// when the standby has it too, and waits for as long as the standby is not
// there. A server has one standby at most.
func (s *Server) Standby(t testing.TB) *Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	o, err := prepare(s.config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := o.remove(); err != nil {
			t.Error(err)
		}
	})
	if err := s.follow(ctx, o); err != nil {
		t.Fatal(fmt.Errorf("start a standby: %w", err))
	}
	return o
}

// follow makes o a copy of s and runs it as its synchronous standby.
func (s *Server) follow(ctx context.Context, o *Server) error {
	err := o.execute(ctx, "pg_basebackup", "--pgdata="+o.data(), "--dbname="+s.URL("postgres"),
		"--write-recovery-conf", "--checkpoint=fast", "--no-sync")
	if err != nil {
		return err
	}
	if err := o.Run(ctx); err != nil {
		return err
	}
	// Only now, after the copy: the standby waits for no one once it is promoted.
	if err := execute(ctx, s.URL("postgres"), "ALTER SYSTEM SET synchronous_standby_names = '*'"); err != nil {
		return err
	}
	if err := execute(ctx, s.URL("postgres"), "SELECT pg_reload_conf()"); err != nil {
		return err
	}
	if err := s.synchronous(ctx); err != nil {
		return o.logged(err)
	}
	// The checkpointer is who makes commits wait, once it has read the setting,
	// which it does before it answers a request that follows the others' sight of it.
	return execute(ctx, s.URL("postgres"), "CHECKPOINT")
}

// synchronous waits until the server counts its standby as a synchronous one,
// and new connections have the setting.
func (s *Server) synchronous(ctx context.Context) error {
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		n, err := query[int](ctx, s.URL("postgres"), `SELECT count(*) FROM pg_stat_replication
			WHERE sync_state = 'sync' AND state = 'streaming' AND current_setting('synchronous_standby_names') = '*'`)
		if err != nil || n > 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-again.C:
		}
	}
}

// Promote makes a standby the server that takes writes, and returns when it
// does. End the one it followed before: this one no longer hears of it.
func (s *Server) Promote(ctx context.Context) error {
	done, err := query[bool](ctx, s.URL("postgres"), "SELECT pg_promote()")
	if err == nil && !done {
		err = errors.New("it goes on as a standby")
	}
	if err != nil {
		return fmt.Errorf("promote: %w", err)
	}
	return nil
}

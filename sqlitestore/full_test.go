package sqlitestore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt/internal/tier"
	"github.com/usermgmt-go/usermgmt/store"
)

// TestFullDiskIsFreed: a disk that is full refuses writes and nothing else, and
// once there is space again, all goes on.
func TestFullDiskIsFreed(t *testing.T) {
	t.Parallel()
	cmd := command(t, "full", t.TempDir(), strconv.Itoa(tier.Count(1, 1, 20, 100)))
	var out strings.Builder
	cmd.Stdout = &out
	isolate(t, cmd, true)
	require.NoError(t, cmd.Wait())
	if out.String() == noMount {
		t.Skip("file systems may not be mounted here")
	}
	t.Log(strings.TrimSpace(out.String()))
}

// noMount is what a process says that may not mount a disk.
const noMount = "may not mount"

// fillDisk mounts a small disk at a folder, and fills and frees it in cycles.
func fillDisk(ctx context.Context, dir string, args []string) (err error) {
	cycles, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	if err := mountSmall(dir, "16m"); forbidden(err) {
		fmt.Print(noMount)
		return nil
	} else if err != nil {
		return err
	}
	s, err := Open(ctx, filepath.Join(dir, "users.db"), nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	d := &disk{store: s, ballast: filepath.Join(dir, "ballast"), random: rand.New(rand.NewPCG(1, 2)), told: map[int]bool{}, deleted: map[int]bool{}}
	for range cycles {
		if err := d.cycle(ctx); err != nil {
			return err
		}
	}
	fmt.Printf("%d cycles: %d units acknowledged, 0 lost, %d told that the disk is full, 0 of them there, 0 other errors, writes resumed %d times\n",
		cycles, d.done, len(d.told)-d.done, cycles)
	return nil
}

// disk is one that has a store on it.
type disk struct {
	store   *Store
	ballast string
	random  *rand.Rand
	told    map[int]bool // whether the unit with that number was acknowledged
	done    int
	deleted map[int]bool // users of acknowledged units
}

// cycle fills the disk but for a few pages, writes until nothing fits, looks,
// makes room and writes again.
func (d *disk) cycle(ctx context.Context) error {
	if err := d.fill(); err != nil {
		return err
	}
	if err := d.write(ctx, 1<<20); err != nil {
		return err
	}
	if err := d.look(ctx); err != nil {
		return fmt.Errorf("on the full disk: %w", err)
	}
	if err := os.Remove(d.ballast); err != nil {
		return err
	}
	before := len(d.told)
	if err := d.write(ctx, 20); err != nil {
		return err
	}
	if n := len(d.told) - before; n != 20 {
		return fmt.Errorf("with room again only %d of 20 units were run", n)
	}
	if err := d.look(ctx); err != nil {
		return err
	}
	row, err := d.store.writer.conn.first("PRAGMA integrity_check")
	if err != nil || text(row[0]) != "ok" {
		return fmt.Errorf("the file is damaged: %v %v", row, err)
	}
	// Room for the next cycle, and a file that has holes.
	drop := map[int]bool{}
	for n, done := range d.told {
		if done && !d.deleted[n] && n%4 > 0 {
			drop[n] = true
		}
	}
	maps.Copy(d.deleted, drop)
	return d.store.Update(ctx, "main", func(tx store.Tx) error {
		for n := range drop {
			if err := tx.DeleteUser(ctx, benchUser(n).ID); err != nil {
				return err
			}
		}
		return nil
	})
}

// look holds what is there against what was told.
func (d *disk) look(ctx context.Context) error {
	return d.store.View(ctx, "main", func(r store.Reader) error {
		es, err := r.Events(ctx, 0, 1<<20)
		if err != nil {
			return err
		}
		events := map[string]int{}
		for _, e := range es {
			events[e.Object]++
		}
		us, err := r.Users(ctx, store.UserQuery{Limit: 1 << 20})
		if err != nil {
			return err
		}
		users := map[store.UserID]bool{}
		for _, u := range us {
			users[u.ID] = true
		}
		for n, done := range d.told {
			u := benchUser(n)
			if got := events[benchEvent(u).Object]; (got == 1) != done || got > 1 {
				return fmt.Errorf("unit %d has %d events, and was acknowledged: %t", n, got, done)
			}
			if users[u.ID] != (done && !d.deleted[n]) {
				return fmt.Errorf("user %d is there: %t, was acknowledged: %t, was deleted: %t", n, users[u.ID], done, d.deleted[n])
			}
		}
		if len(es) != d.done || len(us) != d.done-len(d.deleted) {
			return fmt.Errorf("%d events and %d users after %d units and %d deletions", len(es), len(us), d.done, len(d.deleted))
		}
		return nil
	})
}

// fill leaves up to 200 KiB.
func (d *disk) fill() error {
	f, err := os.Create(d.ballast)
	if err != nil {
		return err
	}
	defer f.Close()
	block, size := make([]byte, 4096), int64(0)
	for err == nil {
		var n int
		n, err = f.Write(block)
		size += int64(n)
	}
	if !strings.Contains(err.Error(), "no space left") {
		return err
	}
	return f.Truncate(max(0, size-d.random.Int64N(200<<10)))
}

// write runs units from four callers until each of them is told that the disk
// is full, or the units are at an end.
func (d *disk) write(ctx context.Context, units int) error {
	var (
		mu    sync.Mutex
		errs  []error
		group sync.WaitGroup
	)
	for range 4 {
		group.Go(func() {
			for {
				mu.Lock()
				n := len(d.told)
				if units == 0 || len(errs) > 0 {
					mu.Unlock()
					return
				}
				units--
				d.told[n] = false
				mu.Unlock()
				err := d.store.Update(ctx, "main", func(tx store.Tx) error { return createWithEvent(ctx, tx, benchUser(n)) })
				mu.Lock()
				switch {
				case err == nil:
					d.told[n] = true
					d.done++
				case !errors.Is(err, store.ErrFull):
					errs = append(errs, err)
				}
				mu.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
	group.Wait()
	return errors.Join(errs...)
}

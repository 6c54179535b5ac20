package sqlitestore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt/internal/tier"
	"github.com/usermgmt-go/usermgmt/store"
)

// Deeds are what a process does until it is killed: units of work of its
// writers, each with an event that bears the deed's name, "kind life.writer.n".
// They are of three kinds, in turn:
//
//   - creates makes a user with a credential;
//   - counts makes another version of the one user whom all writers change;
//   - hands gives the writer's organization from one of its two members to the
//     other: at no moment has it two owners, or none.
const (
	writers = 16
	counted = "counted"
)

var deedKinds = [...]string{"creates", "counts", "hands"}

func deedUser(life string, writer, n int) store.UserID {
	return store.UserID(fmt.Sprintf("%s.%d.%d", life, writer, n))
}

func deedOrg(writer int) store.OrganizationID {
	return store.OrganizationID(fmt.Sprintf("org.%d", writer))
}

// deedMember is one of the two members of a writer's organization.
func deedMember(writer, i int) store.UserID {
	return store.UserID(fmt.Sprintf("member.%d.%d", writer, i))
}

func deedPerson(id store.UserID) store.User {
	key := string(id) + "@example.com"
	return store.User{ID: id, Username: key, UsernameKey: key, Email: key, EmailKey: key, CreatedBy: "host"}
}

// foundDeeds makes what deeds are done to: in one unit, by whoever comes first.
func foundDeeds(ctx context.Context, tx store.Tx) error {
	if _, err := tx.User(ctx, counted); !errors.Is(err, store.ErrNotFound) {
		return err
	}
	errs := []error{tx.CreateUser(ctx, deedPerson(counted))}
	for w := range writers {
		errs = append(errs, tx.CreateOrganization(ctx, store.Organization{ID: deedOrg(w), CreatedBy: "host"}))
		for i, role := range []store.RoleID{"owner", "member"} {
			errs = append(errs, tx.CreateUser(ctx, deedPerson(deedMember(w, i))), tx.CreateMembership(ctx, store.Membership{
				OrganizationID: deedOrg(w), UserID: deedMember(w, i), Role: role, CreatedBy: "host",
			}))
		}
	}
	return errors.Join(errs...)
}

// doDeeds does deeds for ever, and prints the name of each that is done.
func doDeeds(ctx context.Context, s *Store, life string) error {
	if err := s.Update(ctx, "main", func(tx store.Tx) error { return foundDeeds(ctx, tx) }); err != nil {
		return err
	}
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for n := 0; ; n++ {
				kind := deedKinds[n%len(deedKinds)]
				name := fmt.Sprintf("%s %s", kind, deedUser(life, w, n))
				err := s.Update(ctx, "main", func(tx store.Tx) error {
					if err := deed(ctx, tx, kind, life, w, n); err != nil {
						return err
					}
					return tx.AppendEvent(ctx, store.Event{Action: kind, Object: name})
				})
				if err != nil {
					panic(err)
				}
				fmt.Println(name)
			}
		})
	}
	group.Wait()
	return nil
}

func deed(ctx context.Context, tx store.Tx, kind, life string, writer, n int) error {
	switch kind {
	case "creates":
		id := deedUser(life, writer, n)
		return errors.Join(tx.CreateUser(ctx, deedPerson(id)), tx.PutCredential(ctx, store.Credential{UserID: id, Hash: "x"}))
	case "counts":
		u, err := tx.User(ctx, counted)
		if err != nil {
			return err
		}
		return tx.UpdateUser(ctx, u)
	}
	var ms [2]store.Membership
	for i := range ms {
		var err error
		if ms[i], err = tx.Membership(ctx, deedOrg(writer), deedMember(writer, i)); err != nil {
			return err
		}
	}
	ms[0].Role, ms[1].Role = ms[1].Role, ms[0].Role
	return errors.Join(tx.UpdateMembership(ctx, ms[0]), tx.UpdateMembership(ctx, ms[1]))
}

// killed is what several kills came to.
type killed struct {
	kills, acknowledged int
	unheard             int // deeds that were done, and the process killed before it could say so
}

// TestWhatUpdateAcknowledgedSurvivesAKill: a process that writes is killed at a
// random moment, again and again on the same file.
func TestWhatUpdateAcknowledgedSurvivesAKill(t *testing.T) {
	t.Parallel()
	for i, mode := range []string{"FULL", "NORMAL"} { // SQLite's words for them
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			const lives = 5 // of one file
			kills := tier.Count(3, 13, 200, 5000)
			random := rand.New(rand.NewPCG(1, uint64(i)))
			var sum killed
			for sum.kills < kills {
				path := filepath.Join(t.TempDir(), "users.db")
				heard := map[string]bool{}
				unheard := 0
				for life := range min(lives, kills-sum.kills) {
					kill(t, path, mode, fmt.Sprint(life), random, heard)
					sum.kills++
					unheard = judge(t, path, heard)
					require.LessOrEqual(t, unheard, (life+1)*writers, "no more than were under way at the kills")
				}
				sum.acknowledged += len(heard)
				sum.unheard += unheard
			}
			require.Positive(t, sum.acknowledged)
			t.Logf("synchronous=%s: %d kills, %d acknowledged, 0 lost, 0 in part, %d done and not yet acknowledged",
				mode, sum.kills, sum.acknowledged, sum.unheard)
		})
	}
}

// kill runs a process until a random moment, and adds the deeds that it has
// acknowledged to heard.
func kill(t *testing.T, path, mode, life string, random *rand.Rand, heard map[string]bool) {
	t.Helper()
	cmd, _, out := start(t, "deeds", path, mode, life)
	before, last := len(heard), 1+random.IntN(400)
	for out.Scan() {
		heard[out.Text()] = true
		if len(heard)-before == last {
			// Somewhere in the transactions that follow: this is the fault's
			// moment, and nothing waits for it.
			time.Sleep(time.Duration(random.IntN(4000)) * time.Microsecond)
			require.NoError(t, cmd.Process.Kill())
		}
	}
	require.Error(t, cmd.Wait())
	require.Equal(t, -1, cmd.ProcessState.ExitCode(), "it was killed")
}

// judge opens the file, holds it against what was acknowledged, and returns how
// many deeds were done beyond that.
func judge(t *testing.T, path string, heard map[string]bool) (unheard int) {
	t.Helper()
	ctx := t.Context()
	s, err := Open(ctx, path, nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	requireSound(t, s)
	require.NoError(t, s.View(ctx, "main", func(r store.Reader) error {
		es, err := r.Events(ctx, 0, 1<<20)
		require.NoError(t, err)
		done := map[string]int{}
		sums := map[string]int{}   // of the deeds of a kind
		hands := map[string]int{}  // of a writer
		latest := map[string]int{} // deeds of a life's writer
		for _, e := range es {
			done[e.Object]++
			sums[e.Action]++
			i := strings.LastIndexByte(e.Object, '.')
			who := strings.TrimPrefix(e.Object[:i], e.Action+" ")
			require.Equal(t, fmt.Sprint(latest[who]), e.Object[i+1:], "%s does one deed after another", who)
			latest[who]++
			if e.Action == "hands" {
				_, writer, _ := strings.Cut(who, ".")
				hands[writer]++
			}
		}
		for name := range heard {
			require.Equal(t, 1, done[name], "%s was acknowledged", name)
		}
		for name := range done {
			if !heard[name] {
				unheard++
			}
		}
		us, err := r.Users(ctx, store.UserQuery{Limit: 1 << 20})
		require.NoError(t, err)
		require.Equal(t, 1+2*writers+sums["creates"], len(us), "a user for each event, and no other")
		n, err := r.CountUsers(ctx, store.UserQuery{})
		require.NoError(t, err)
		require.EqualValues(t, len(us), n)
		keys := map[string]bool{}
		for _, u := range us {
			keys[u.UsernameKey], keys[u.EmailKey] = true, true
			if u.ID == counted {
				require.EqualValues(t, 1+sums["counts"], u.Version)
			}
			if done["creates "+string(u.ID)] > 0 {
				_, err = r.Credential(ctx, u.ID)
				require.NoError(t, err, "the credential of %s", u.ID)
			}
			found, err := r.UserByUsername(ctx, u.UsernameKey)
			require.NoError(t, err)
			require.Equal(t, u.ID, found.ID)
		}
		require.Equal(t, len(us), len(keys), "names are unique")
		for w := range writers {
			owner := deedMember(w, hands[fmt.Sprint(w)]%2)
			ms, err := r.Members(ctx, store.MemberQuery{Organization: deedOrg(w), Roles: []store.RoleID{"owner"}, Limit: 10})
			require.NoError(t, err)
			require.Len(t, ms, 1, "owners")
			require.Equal(t, owner, ms[0].UserID)
		}
		return nil
	}))
	return unheard
}

// requireSound has SQLite look through the whole file.
func requireSound(t testing.TB, s *Store) {
	t.Helper()
	row, err := s.writer.conn.first("PRAGMA integrity_check")
	require.NoError(t, err)
	require.Equal(t, "ok", text(row[0]))
	row, err = s.writer.conn.first("PRAGMA foreign_key_check")
	require.NoError(t, err)
	require.Nil(t, row)
}

package sqlitestore

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt/store"
)

// testdata holds, for each number of a migration, a file as the release that came
// with it wrote it (schema-1.db.gz) and what is in that file (schema-1.json).
// They stay as they are for ever. Who adds a migration adds the next two, by
//
//	SQLITESTORE_GOLDEN=write go test ./sqlitestore -run TestFilesOfEveryRelease
//
// which writes those that are missing.
const goldenEnv = "SQLITESTORE_GOLDEN"

// contents are the records of a realm.
type contents struct {
	Users         []store.User
	Credentials   []store.Credential
	Organizations []store.Organization
	Memberships   []store.Membership
	Roles         []store.Role
	Permissions   []string
	Tenants       []store.Tenant
	Vendors       []store.Vendor
	Secrets       []store.VendorSecret
	Keys          []store.Key
	Sessions      []store.Session
	Tokens        []store.Token
	Events        []store.Event
	Generation    uint64
}

var goldenRealms = []store.Realm{"main", "other"}

// goldenFile unpacks the file of a release.
func goldenFile(t testing.TB, number int64) (path string) {
	t.Helper()
	packed, err := os.Open(fmt.Sprintf("testdata/schema-%d.db.gz", number))
	require.NoError(t, err, "how it is made is said above")
	defer packed.Close()
	z, err := gzip.NewReader(packed)
	require.NoError(t, err)
	b, err := io.ReadAll(z)
	require.NoError(t, err)
	path = filepath.Join(t.TempDir(), "users.db")
	require.NoError(t, os.WriteFile(path, b, 0o600))
	return path
}

// latest is the number of the last migration.
func latest() (number int64) {
	for {
		if _, ok := migration(number + 1); !ok {
			return number
		}
		number++
	}
}

// TestFilesOfEveryRelease: whatever a release has written, this one reads as it
// was, and goes on with it.
func TestFilesOfEveryRelease(t *testing.T) {
	t.Parallel()
	if os.Getenv(goldenEnv) == "write" {
		writeGolden(t, latest())
	}
	for number := int64(1); number <= latest(); number++ {
		t.Run(fmt.Sprint(number), func(t *testing.T) {
			t.Parallel()
			b, err := os.ReadFile(fmt.Sprintf("testdata/schema-%d.json", number))
			require.NoError(t, err)
			var want map[store.Realm]contents
			require.NoError(t, json.Unmarshal(b, &want))
			path := goldenFile(t, number)
			for range 2 { // as it was, and as the first has left it
				s, err := Open(t.Context(), path, nil)
				require.NoError(t, err)
				requireSound(t, s)
				for _, realm := range goldenRealms {
					got := read(t, s, realm, want[realm].Tokens)
					require.Equal(t, want[realm], got)
					require.NotEmpty(t, got.Users)
					require.NotEmpty(t, got.Tokens)
				}
				require.NoError(t, s.Close())
			}
			goesOn(t, path, want["main"])
		})
	}
}

// goesOn writes to a file of an earlier release.
func goesOn(t *testing.T, path string, was contents) {
	t.Helper()
	ctx := t.Context()
	s := openStore(t, path, nil)
	taken := was.Users[3]
	taken.ID = "another"
	err := s.Update(ctx, "main", func(tx store.Tx) error { return tx.CreateUser(ctx, taken) })
	var exists *store.ExistsError
	require.ErrorAs(t, err, &exists)
	require.Equal(t, "UsernameKey", exists.Field, "its indexes are in use")
	require.NoError(t, s.Update(ctx, "main", func(tx store.Tx) error {
		return errors.Join(creates(t, 7)(tx), tx.UpdateUser(ctx, was.Users[0]), tx.DeleteUser(ctx, was.Users[1].ID),
			tx.DeleteOrganization(ctx, was.Organizations[0].ID))
	}))
	now := read(t, s, "main", nil)
	require.Len(t, now.Users, len(was.Users))
	require.Len(t, now.Events, len(was.Events)+1)
	require.Equal(t, was.Events[len(was.Events)-1].Seq+1, now.Events[len(was.Events)].Seq)
	require.NotEqual(t, was.Generation, now.Generation)
	require.Empty(t, now.Memberships)
	require.Empty(t, now.Keys)
}

// writeGolden makes what testdata does not have yet of the present schema.
func writeGolden(t *testing.T, number int64) {
	t.Helper()
	name := fmt.Sprintf("testdata/schema-%d.", number)
	_, err := os.Stat(name + "db.gz")
	if err == nil {
		return
	}
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, os.MkdirAll("testdata", 0o755))
	path := filepath.Join(t.TempDir(), "users.db")
	s, err := Open(t.Context(), path, nil)
	require.NoError(t, err)
	s.writer.ranks = [2]int64{4, 8} // so that there are many ranges
	all := map[store.Realm]contents{}
	for _, realm := range goldenRealms {
		require.NoError(t, s.Update(t.Context(), realm, func(tx store.Tx) error { return everything(t.Context(), tx) }))
		all[realm] = read(t, s, realm, []store.Token{
			{Kind: store.TokenRefresh, Digest: goldenDigest("refresh")}, {Kind: store.TokenOrganization, Digest: goldenDigest("organization")},
			{Kind: store.TokenCode, Digest: goldenDigest("code")},
		})
	}
	require.NoError(t, s.Close())
	b, err := json.Marshal(all) // indented it would not keep Attributes as they are
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(name+"json", append(b, '\n'), 0o644))
	b, err = os.ReadFile(path)
	require.NoError(t, err)
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	require.NoError(t, err)
	_, err = z.Write(b)
	require.NoError(t, errors.Join(err, z.Close()))
	require.NoError(t, os.WriteFile(name+"db.gz", packed.Bytes(), 0o644))
}

func goldenDigest(name string) store.Digest { return sha256.Sum256([]byte(name)) }

// everything makes records of every kind with every field set.
func everything(ctx context.Context, tx store.Tx) error {
	at := time.Date(2026, 2, 28, 23, 59, 59, 999_999_000, time.UTC)
	until := at.AddDate(10, 0, 0)
	const user0, user1 store.UserID = "01940000-0000-7000-8000-000000000100", "01940000-0000-7000-8000-000000000101"
	errs := []error{
		tx.PutPermission(ctx, "orders.read"), tx.PutPermission(ctx, "orders.write"),
		tx.CreateRole(ctx, store.Role{
			ID: "clerk", Scope: store.ScopeFacility, Name: "Clerk", Description: "Reads orders", Permissions: []string{"orders.read"},
			CreatedBy: "host", CreatedAt: at, UpdatedAt: at,
		}),
		tx.CreateTenant(ctx, store.Tenant{ID: "acme", Name: "Acme", Type: "test", CreatedAt: at, UpdatedAt: at}),
		tx.CreateVendor(ctx, store.Vendor{
			ID: "vendor", Name: "Vendor", ClientID: "client", Scopes: []string{"manage"}, Disabled: true, CreatedAt: at, UpdatedAt: at,
		}),
		tx.PutVendorSecret(ctx, store.VendorSecret{VendorID: "vendor", Digest: goldenDigest("secret"), CreatedAt: at, ExpiresAt: until}),
		tx.CreateOrganization(ctx, store.Organization{
			ID: "org", Slug: "org", Name: "Örg", Domain: "example.com", MatchDomain: "example.com", VendorID: "vendor",
			VendorOrganizationID: "17", OEMProvisioning: true, CreatedBy: "vendor:vendor", CreatedAt: at, UpdatedAt: at,
		}),
	}
	for i := range 24 {
		id := store.UserID(fmt.Sprintf("01940000-0000-7000-8000-%012x", 0x100+i))
		name := fmt.Sprintf("Zoë%d", i)
		errs = append(errs, tx.CreateUser(ctx, store.User{
			ID: id, Username: name, UsernameKey: fmt.Sprintf("zoë%d", i), Email: name + "@Example.com", EmailKey: fmt.Sprintf("zoë%d@example.com", i),
			EmailClaimed: i%2 == 1, FirstName: "Zoë", LastName: "O'Neil", Locale: "de_DE", Disabled: i%3 == 1,
			Attributes: json.RawMessage(fmt.Sprintf(`{"n":%d}`, i)), Tags: []string{"blue", "red"},
			Grants: []store.Grant{
				{Permission: "orders.write", Kind: store.ScopeRealm}, {Role: "clerk", Kind: store.ScopeFacility, Scopes: []string{"berlin"}},
			},
			Tenants: []string{"acme", "any"}, CreatedBy: "vendor:vendor", CreatedByVendor: "vendor", CreatedAt: at, UpdatedAt: at,
		}), tx.AppendEvent(ctx, store.Event{
			At: at, Actor: "host", Action: "user.created", Object: "user:" + string(id), OrganizationID: "org", Fields: []string{"email"},
		}))
	}
	errs = append(errs,
		tx.PutCredential(ctx, store.Credential{
			UserID: user0, Hash: "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$aGFzaA", Origin: goldenDigest("origin"), Temporary: true, ExpiresAt: until, ChangedAt: at,
		}),
		tx.CreateMembership(ctx, store.Membership{
			OrganizationID: "org", UserID: user0, Role: "owner", Tags: []string{"first"}, VendorUserID: "23", CreatedBy: "host", CreatedAt: at, UpdatedAt: at,
		}),
		tx.CreateKey(ctx, store.Key{
			ID: "key", OrganizationID: "org", Name: "Key", Role: "admin", Owner: user0, Digest: goldenDigest("key"), CreatedAt: at, ExpiresAt: until,
		}),
		tx.CreateSession(ctx, store.Session{ID: "session", UserID: user1, PasswordChange: true, CreatedAt: at, ExpiresAt: until}),
		tx.CreateSession(ctx, store.Session{ID: "within", UserID: user0, OrganizationID: "org", CreatedAt: at, ExpiresAt: until}),
		tx.CreateToken(ctx, store.Token{Digest: goldenDigest("refresh"), Kind: store.TokenRefresh, UserID: user1, SessionID: "session", CreatedAt: at, ExpiresAt: until}),
		tx.CreateToken(ctx, store.Token{
			Digest: goldenDigest("organization"), Kind: store.TokenOrganization, UserID: user0, OrganizationID: "org", CreatedAt: at, ExpiresAt: until,
		}),
		tx.CreateToken(ctx, store.Token{Digest: goldenDigest("code"), Kind: store.TokenCode, UserID: user0, OrganizationID: "org", CreatedAt: at, ExpiresAt: until}),
	)
	_, err := tx.UseToken(ctx, store.TokenCode, goldenDigest("code"), at.Add(time.Second))
	changed := store.Tenant{ID: "acme", Name: "Acme & Söhne", Type: "test", Version: 1, UpdatedAt: at.Add(time.Hour)}
	return errors.Join(append(errs, err, tx.UpdateTenant(ctx, changed))...)
}

// read reads a realm, whose tokens can be found by their kinds and digests alone.
func read(t *testing.T, s *Store, realm store.Realm, tokens []store.Token) (c contents) {
	t.Helper()
	ctx := t.Context()
	const most = 1000
	require.NoError(t, s.View(ctx, realm, func(r store.Reader) error {
		var errs [16]error
		c.Users, errs[0] = r.Users(ctx, store.UserQuery{Limit: most})
		var ids []store.UserID
		for _, u := range c.Users {
			ids = append(ids, u.ID)
			more, err := r.Sessions(ctx, u.ID, "", most)
			require.NoError(t, err)
			c.Sessions = append(c.Sessions, more...)
		}
		c.Credentials, errs[1] = r.CredentialsByID(ctx, ids)
		c.Organizations, errs[2] = r.Organizations(ctx, store.OrganizationQuery{Limit: most})
		for _, o := range c.Organizations {
			ms, err := r.Members(ctx, store.MemberQuery{Organization: o.ID, Limit: most})
			require.NoError(t, err)
			keys, err := r.Keys(ctx, o.ID, "", most)
			require.NoError(t, err)
			c.Memberships, c.Keys = append(c.Memberships, ms...), append(c.Keys, keys...)
		}
		c.Roles, errs[3] = r.Roles(ctx, "", most)
		c.Permissions, errs[4] = r.Permissions(ctx)
		c.Tenants, errs[5] = r.Tenants(ctx, "", most)
		c.Vendors, errs[6] = r.Vendors(ctx, "", most)
		for _, v := range c.Vendors {
			secrets, err := r.VendorSecrets(ctx, v.ID)
			require.NoError(t, err)
			c.Secrets = append(c.Secrets, secrets...)
		}
		for _, want := range tokens {
			token, err := r.Token(ctx, want.Kind, want.Digest)
			require.NoError(t, err)
			c.Tokens = append(c.Tokens, token)
		}
		c.Events, errs[7] = r.Events(ctx, 0, most)
		c.Generation, errs[8] = r.Generation(ctx)
		n, err := r.CountUsers(ctx, store.UserQuery{})
		require.EqualValues(t, len(c.Users), n)
		return errors.Join(append(errs[:], err)...)
	}))
	return c
}

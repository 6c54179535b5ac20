package usermgmt_test

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
)

// TestSnapshotsAreAdministrators: to hold every group of permissions is not to
// hold everything.
func TestSnapshotsAreAdministrators(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	var grants []usermgmt.Grant
	for _, group := range []usermgmt.Permission{"users.*", "roles.*", "tenants.*", "organizations.*", "members.*", "vendors.*", "keys.*", "sessions.*", "events.*"} {
		grants = append(grants, direct(group))
	}
	most := d.acting(d.user(t, "most", grants...))
	before := d.actions(t)
	for what, s := range map[string]string{
		"nothing": `{}`, "user": `{"users":[{"username":"eve"}]}`, "password": `{"users":[{"username":"most","password":"` + replacement + `"}]}`,
		"role": `{"roles":[{"name":"r"}]}`, "organization": `{"organizations":[{"id":"o","name":"O"}]}`,
	} {
		require.ErrorIs(t, most.Apply(t.Context(), parse(t, s)), usermgmt.ErrForbidden, what)
		require.ErrorIs(t, applyFrom(t, most, s, 0), usermgmt.ErrForbidden, what)
	}
	require.Equal(t, before, d.actions(t))
}

// TestSnapshotsTakeNothingFromOthers: an organization stays its vendor's, and an
// organization token its member's, whatever is stated.
func TestSnapshotsTakeNothingFromOthers(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	globex := o.partner("globex")
	o.vendor("initech")
	made := globex.opens(usermgmt.VendorUser{Email: "ada@acme.example", VendorOrganizationID: "1"})
	globex.hires(usermgmt.VendorUser{Email: "bob@acme.example", VendorOrganizationID: "1"})
	sum := sha256.Sum256([]byte(made.Token))
	states := func(org usermgmt.SnapshotOrganization, user string) error {
		org.Members = []usermgmt.SnapshotMember{{User: user, Role: "member", TokenDigests: []usermgmt.SecretDigest{{SHA256: hex.EncodeToString(sum[:]), CreatedAt: o.clock.Now()}}}}
		return o.m.Apply(t.Context(), usermgmt.Snapshot{Organizations: []usermgmt.SnapshotOrganization{org}})
	}
	same := usermgmt.SnapshotOrganization{ID: made.Organization.ID}
	other := usermgmt.SnapshotOrganization{ID: "other", Name: new("Other")}
	o.writesNothing(func() {
		require.Equal(t, "invalid tokenDigests", field(t, states(same, "bob@acme.example")), "another member")
		require.Equal(t, "invalid tokenDigests", field(t, states(other, "ada@acme.example")), "another organization")
		require.Equal(t, "invalid tokenDigests", field(t, states(other, "bob@acme.example")), "both")
		require.NoError(t, states(same, "ada@acme.example"))
		err := o.m.Apply(t.Context(), usermgmt.Snapshot{Organizations: []usermgmt.SnapshotOrganization{{ID: made.Organization.ID, Vendor: "initech"}}})
		require.Equal(t, "invalid vendor", field(t, err))
		require.NoError(t, o.m.Apply(t.Context(), usermgmt.Snapshot{Organizations: []usermgmt.SnapshotOrganization{{ID: made.Organization.ID, Vendor: "globex"}}}))
	})
	_, err := o.m.As(usermgmt.VendorActor("initech")).Organization(t.Context(), made.Organization.ID)
	require.ErrorIs(t, err, usermgmt.ErrNoOrganization)
}

// TestStatedTemporaryPasswords: they are the way in for who has no password, and
// nothing once he has one, be it since the moment before.
func TestStatedTemporaryPasswords(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx := t.Context()
	s := parse(t, `{"users":[{"username":"ada","password":"brass lantern 12","temporaryPassword":true},{"username":"bob","password":"brass lantern 12","temporaryPassword":true}]}`)
	ada, err := d.CreateUser(ctx, usermgmt.NewUser{Username: "ada"})
	require.NoError(t, err)
	works := func(password string) bool {
		ok, err := d.VerifyPassword(ctx, ada.ID, password)
		require.NoError(t, err)
		return ok
	}

	// She is given one between the look at what she has and the act.
	store := &afterView{Store: d.store, then: func() { require.NoError(t, d.SetPassword(ctx, ada.ID, passphrase)) }}
	require.NoError(t, d.With(store).Apply(ctx, s))
	require.True(t, works(passphrase))
	require.True(t, d.signIn(t, "bob", "brass lantern 12").PasswordChangeRequired)

	before := d.actions(t)
	require.NoError(t, d.Apply(ctx, s))
	require.True(t, works(passphrase))
	require.Equal(t, before, d.actions(t))
}

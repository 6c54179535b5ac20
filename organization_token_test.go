package usermgmt_test

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
)

// TestOrganizationTokensEnd: a token that was brought along with an end is good
// until then, and from that moment for nothing.
func TestOrganizationTokensEnd(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	globex := o.partner("globex")
	made := globex.opens(usermgmt.VendorUser{Email: "ada@acme.example", VendorOrganizationID: "1"})
	bob := globex.hires(usermgmt.VendorUser{Email: "bob@acme.example", VendorOrganizationID: "1"})
	brought := "umo_" + strings.Repeat("A", len(made.Token)-len("umo_"))
	sum := sha256.Sum256([]byte(brought))
	end := o.clock.Now().Add(time.Hour)
	require.NoError(t, o.m.Apply(t.Context(), usermgmt.Snapshot{Organizations: []usermgmt.SnapshotOrganization{{
		ID: made.Organization.ID, Members: []usermgmt.SnapshotMember{{User: "bob@acme.example", Role: "member", TokenDigests: []usermgmt.SecretDigest{
			{SHA256: hex.EncodeToString(sum[:]), CreatedAt: o.clock.Now(), ExpiresAt: &end},
		}}},
	}}}))
	o.clock.Advance(time.Hour - time.Microsecond)
	require.NoError(t, second(globex.m.CreateCode(t.Context(), brought)))
	o.clock.Advance(time.Microsecond)
	require.NoError(t, second(globex.m.CreateCode(t.Context(), bob.Token)), "one without an end goes on")
	o.writesNothing(func() {
		require.Equal(t, usermgmt.ErrOrganizationToken, second(globex.m.CreateCode(t.Context(), brought)))
		require.Equal(t, usermgmt.ErrOrganizationToken, globex.m.DeprovisionUser(t.Context(), brought, usermgmt.MemberRef{}))
		require.Equal(t, usermgmt.ErrOrganizationToken, globex.m.DeprovisionUser(t.Context(), brought, usermgmt.MemberRef{Email: "bob@acme.example"}))
	})
	require.Equal(t, usermgmt.RoleMember, o.role(made.Organization.ID, bob.Membership.UserID))
}

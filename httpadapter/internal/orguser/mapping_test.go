package orguser

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/exchange"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

// TestRoleNames: what can be given is shown as it was given; what other dialects
// give is shown by its rights.
func TestRoleNames(t *testing.T) {
	t.Parallel()
	named := func(id usermgmt.RoleID) string {
		return roleName(usermgmt.Member{Membership: usermgmt.Membership{Role: id}})
	}
	for _, name := range []string{"owner", "admin", "writer", "reader", "member"} {
		id, err := roleOf(name)
		require.NoError(t, err)
		require.True(t, usermgmt.IsBuiltin(id))
		require.Equal(t, name, named(id))
	}
	require.Equal(t, "writer", named(usermgmt.RoleEditor))
	require.Equal(t, "reader", named(usermgmt.RoleViewer))
	require.Equal(t, "unassigned", named(usermgmt.RoleUnassigned))
	for _, name := range []string{"", "Owner", "ADMIN", " member", "member ", "editor", "viewer", "unassigned", "read-only", "SUPERVISOR", "ºwner", "member\u0000",
		string(usermgmt.RoleOwner), string(usermgmt.RoleAdmin)} {
		id, err := roleOf(name)
		require.Error(t, err, "%q", name)
		require.Empty(t, id)
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 12, 1, 12, 0, 0, 999_999_000, time.FixedZone("", 2*3600))
	m := usermgmt.Member{Membership: usermgmt.Membership{CreatedAt: at, UpdatedAt: at.Add(time.Hour)}}
	one := memberOf(m)
	require.Equal(t, "2024-12-01T10:00:00Z", one.CreatedAt)
	require.Equal(t, "2024-12-01T11:00:00Z", one.UpdatedAt)
	require.Equal(t, "2024-12-01 10:00:00", listedOf([]usermgmt.Member{m})[0].CreatedAt)
}

// TestKeySets fixes the members of every answer: a new field of the Manager's
// types cannot leak.
func TestKeySets(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		answer any
		want   string
	}{
		{addResponse{}, "email first_name last_name organization_id role user_id"},
		{messageResponse{}, "message"},
		{memberResponse{}, "created_at email first_name last_name organization_id role updated_at user_id"},
		{listedMember{}, "created_at email first_name last_name role user_id"},
		{errorResponse{}, "error"},
	} {
		require.Equal(t, tt.want, exchange.Members(t, tt.answer), "%T", tt.answer)
	}
}

var folding = &wire.Decoder{FoldNames: true}

// named is what a body says under a name, whatever its case, and whether it does.
func named(t *testing.T, body []byte, name string) (string, bool) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		t.Fatalf("%q is no object: %v", body, err)
	}
	for key, raw := range members {
		var s *string
		if strings.EqualFold(key, name) && json.Unmarshal(raw, &s) == nil && s != nil {
			return *s, true
		}
	}
	return "", false
}

// checkText fails on what may not come through to the Manager.
func checkText(t *testing.T, texts ...string) {
	for _, s := range texts {
		if s == "" || !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
			t.Fatalf("%q came through", s)
		}
	}
}

func FuzzInvitation(f *testing.F) {
	f.Add([]byte(`{"email": "user@example.com", "role": "member"}`))
	f.Add([]byte(`{"Email": "user@example.com", "ROLE": "owner", "organization_id": "org123", "user_id": "root"}`))
	f.Add([]byte(`{"email": "user@example.com", "role": "admin", "organization_id": "org999"}`))
	f.Add([]byte(`{"email": "", "role": "reader", "organization_id": null, "tags": ["a"]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var req addRequest
		if folding.Unmarshal(body, &req) != nil {
			return
		}
		n, err := invitationOf(acme, req)
		if err != nil {
			return
		}
		checkText(t, n.Email)
		if role, ok := named(t, body, "role"); !ok || roleName(usermgmt.Member{Membership: usermgmt.Membership{Role: n.Role}}) != role {
			t.Fatalf("%q gives the role %q", body, n.Role)
		}
		if org, ok := named(t, body, "organization_id"); ok && org != string(acme) {
			t.Fatalf("%q names another organization", body)
		}
		if n.User != "" || n.Tags != nil || n.VendorUserID != "" || n.FirstName != "" || n.LastName != "" || n.NewAccount {
			t.Fatalf("bound what is not of the text: %+v", n)
		}
	})
}

func FuzzUpdate(f *testing.F) {
	f.Add([]byte(`{"user_id": "user456", "role": "admin"}`))
	f.Add([]byte(`{"USER_ID": "user456", "role": "writer", "version": 3, "tags": []}`))
	f.Add([]byte(`{"user_id": "user456", "role": "unassigned", "Organization_Id": "org123"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var req updateRequest
		if folding.Unmarshal(body, &req) != nil {
			return
		}
		user, up, err := updateOf(acme, req)
		if err != nil {
			return
		}
		checkText(t, string(user))
		if id, ok := named(t, body, "user_id"); !ok || id != string(user) {
			t.Fatalf("%q is about %q", body, user)
		}
		if org, ok := named(t, body, "organization_id"); ok && org != string(acme) {
			t.Fatalf("%q names another organization", body)
		}
		if up.Role == nil || *up.Role == "" || up.Version != 0 || up.Tags != nil || up.VendorUserID != nil {
			t.Fatalf("bound what is not of the text: %+v", up)
		}
	})
}

package applivery

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/exchange"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

func TestInvitation(t *testing.T) {
	t.Parallel()
	valid := func() createOemUserRequest {
		return createOemUserRequest{
			Email: "eve@example.com", FirstName: wire.Some(strings.Repeat("ö", 128)), LastName: wire.Some(""), Tags: wire.Some([]string{strings.Repeat("ß", 128)}),
		}
	}
	n, err := invitation(valid(), usermgmt.RoleViewer)
	require.NoError(t, err)
	require.Equal(t, usermgmt.Invitation{
		NewMember: usermgmt.NewMember{Email: "eve@example.com", Role: usermgmt.RoleViewer, Tags: []string{strings.Repeat("ß", 128)}},
		FirstName: strings.Repeat("ö", 128), NewAccount: true,
	}, n)
	for field, spoil := range map[string]func(*createOemUserRequest){
		"email":     func(r *createOemUserRequest) { r.Email = strings.Repeat("e", 245) + "@example.com" },
		"firstName": func(r *createOemUserRequest) { r.FirstName.Value += "x" },
		"lastName":  func(r *createOemUserRequest) { r.LastName.Value = strings.Repeat("x", 129) },
		"tags":      func(r *createOemUserRequest) { r.Tags.Value = []string{"a", strings.Repeat("x", 129)} },
	} {
		req := valid()
		spoil(&req)
		_, err := invitation(req, usermgmt.RoleViewer)
		var e *wire.Error
		require.ErrorAs(t, err, &e, field)
		require.Equal(t, field, e.Field)
		require.Contains(t, e.Detail, "must not have more than")
	}
}

func TestRoleNames(t *testing.T) {
	t.Parallel()
	for id, want := range map[usermgmt.RoleID]string{
		usermgmt.RoleOwner: "owner", usermgmt.RoleOrgAdmin: "admin", usermgmt.RoleEditor: "editor", usermgmt.RoleWriter: "editor",
		usermgmt.RoleViewer: "viewer", usermgmt.RoleReader: "viewer", usermgmt.RoleMember: "viewer", usermgmt.RoleUnassigned: "unassigned",
		"a role of the host's": "unassigned", "": "unassigned",
	} {
		require.Equal(t, want, roleName(id), id)
		if usermgmt.IsBuiltin(id) {
			require.Contains(t, rolesOf(want), id)
		}
	}
	require.Nil(t, rolesOf("writer"))
	require.Nil(t, rolesOf(""))
}

func TestCreator(t *testing.T) {
	t.Parallel()
	for by, want := range map[string]string{"user:u-1": "u-1", "key:k": "k", "vendor:v:1": "v:1", "host": "host"} {
		require.Equal(t, want, creator(by))
	}
}

// TestKeySets fixes the members of every answer: a new field of the Manager's
// types cannot leak.
func TestKeySets(t *testing.T) {
	t.Parallel()
	for want, answer := range map[string]any{
		"createdAt createdBy detected id organization role tags updatedAt user": collaboratorOf(usermgmt.Member{}),
		"email firstName id lastName role ssoUser":                              user{},
		"collaborator":           collaboratorData{},
		"collaborator oemSecret": oemSecretData{},
		"data status":            collaboratorResponse{},
		"error status":           errorResponse{},
		"code message":           errorDetail{},
		"hasNextPage hasPrevPage items limit nextPage page pagingCounter prevPage totalDocs totalPages": collaboratorPage{},
	} {
		require.Equal(t, want, exchange.Members(t, answer), "%T", answer)
	}
}

func FuzzInvitation(f *testing.F) {
	f.Add([]byte(`{"email": "user@example.com", "firstName": "string", "lastName": "string", "tags": ["string"]}`))
	f.Add([]byte(`{"email": "a@b.cd", "firstName": null, "tags": null, "role": "owner", "vendorUserId": "5678", "user": {"id": "x"}}`))
	f.Add([]byte(`{"email": "a@b.cd", "tags": ["", "ß"], "Email": "c@d.ef", "newAccount": false}`))
	d := &wire.Decoder{}
	f.Fuzz(func(t *testing.T, body []byte) {
		var req createOemUserRequest
		if d.Unmarshal(body, &req) != nil {
			return
		}
		n, err := invitation(req, usermgmt.RoleViewer)
		if err != nil {
			return
		}
		if !reference(n.Email) || len(n.Email) > maxEmail {
			t.Fatalf("%q is no e-mail address", n.Email)
		}
		for _, s := range append([]string{n.FirstName, n.LastName}, n.Tags...) {
			if !utf8.ValidString(s) || strings.ContainsRune(s, 0) || utf8.RuneCountInString(s) > 128 {
				t.Fatalf("%q came through", s)
			}
		}
		if n.User != "" || n.Role != usermgmt.RoleViewer || n.VendorUserID != "" || !n.NewAccount {
			t.Fatalf("bound what is not of the text: %+v", n)
		}
	})
}

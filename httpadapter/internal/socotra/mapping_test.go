package socotra

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

func TestUserNameIsAnEmail(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"a@b", "ada.l+x@mail.example.com", "ö@exämple.de"} {
		_, err := newUser(userCreateRequest{UserName: s})
		require.NoError(t, err, s)
	}
	for _, s := range []string{"", "@", "a@", "@b", "a", "a@@b", "a b@c", ".a@b", "a..b@c", "a@b.", "a@-b", "a@[1.2.3.4]", "<a@b>", "a\x00@b", "a@b\xff", strings.Repeat("a", 250) + "@b.cd"} {
		_, err := newUser(userCreateRequest{UserName: s})
		var e *wire.Error
		require.ErrorAs(t, err, &e, "%q", s)
		require.Equal(t, "userName", e.Field)
	}
}

func TestCreator(t *testing.T) {
	t.Parallel()
	const zero = "00000000-0000-0000-0000-000000000000"
	for by, want := range map[string]string{
		"user:" + string(root): string(root), "user:0192A000-0000-7000-8000-00000000000A": "0192A000-0000-7000-8000-00000000000A",
		"host": zero, "": zero, "user:": zero, "user:u-1": zero, "key:" + string(root): zero, "vendor:" + string(root): zero,
		"user:{" + string(root) + "}": zero, "user:urn:uuid:" + string(root): zero, "user:0192a000000070008000000000000000a": zero,
	} {
		require.Equal(t, want, creator(by), by)
	}
}

func TestRoleOf(t *testing.T) {
	t.Parallel()
	at := time.Date(2020, 9, 25, 12, 6, 35, 9_999_000, time.FixedZone("", 2*3600))
	got := roleOf(usermgmt.Role{ID: "r", Name: "n", Version: 7, CreatedAt: at, CreatedBy: "host"})
	require.Equal(t, "2020-09-25T10:06:35.009Z", got.CreatedAt)
	require.Equal(t, []string{}, got.Permissions)
}

// TestKeySets fixes the members of every answer: a new field of the Manager's
// types cannot leak.
func TestKeySets(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		answer any
		want   string
	}{
		{userResponse{Email: "x"}, "email firstName lastName locator permissions roles serviceAccount tenants userName"},
		{userResponse{}, "firstName lastName locator permissions roles serviceAccount tenants userName"},
		{basicUserResponse{}, "firstName lastName locator userName"},
		{roleResponse{}, "createdAt createdBy description locator name permissions version"},
		{userListResponse{}, "items listCompleted"},
		{basicUserListResponse{}, "items listCompleted"},
		{roleListResponse{}, "items listCompleted"},
	} {
		require.Equal(t, tt.want, exchange.Members(t, tt.answer), "%T", tt.answer)
	}
}

func FuzzUserCreate(f *testing.F) {
	f.Add([]byte(`{"firstName": "Eve", "lastName": "M", "userName": "eve@example.com", "password": "p", "roles": null, "tenants": ["any"]}`))
	f.Add([]byte(`{"firstName": "", "lastName": "", "userName": "a@b", "temporaryPassword": true, "email": null, "permissions": ["*.*"]}`))
	d := &wire.Decoder{}
	f.Fuzz(func(t *testing.T, body []byte) {
		var req userCreateRequest
		if d.Unmarshal(body, &req) != nil {
			return
		}
		n, err := newUser(req)
		if err != nil {
			return
		}
		for _, s := range append([]string{n.Username, n.Email, n.FirstName, n.LastName, n.Password}, n.Tenants...) {
			if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
				t.Fatalf("%q came through", s)
			}
		}
		if strings.Count(n.Username, "@") != 1 {
			t.Fatalf("%q is no e-mail address", n.Username)
		}
		if n.ID != "" || n.Grants != nil || n.Disabled || n.PasswordHash != "" || n.Attributes != nil || n.Tags != nil || n.Locale != "" {
			t.Fatalf("bound what is not of the text: %+v", n)
		}
	})
}

func FuzzUserUpdate(f *testing.F) {
	f.Add([]byte(`{"firstName": "E", "lastName": "M", "permissions": ["users.read"], "roles": ["admin"], "tenants": ["any"], "email": "a@b"}`))
	f.Add([]byte(`{"firstName": "E", "lastName": "M", "tenants": [], "version": 3, "disabled": true}`))
	d := &wire.Decoder{}
	f.Fuzz(func(t *testing.T, body []byte) {
		var req userUpdateRequest
		if d.Unmarshal(body, &req) != nil {
			return
		}
		up := profileOf(req)
		if up.FirstName == nil || up.LastName == nil || up.Username != nil || up.Disabled != nil || up.Attributes != nil || up.Tags != nil ||
			up.Password != nil || up.Version != 0 || up.Locale != nil || up.Grants != nil {
			t.Fatalf("bound what is not of the text: %+v", up)
		}
		if up.Tenants != nil && len(*up.Tenants) == 0 {
			t.Fatal("an empty list must not replace")
		}
	})
}

func FuzzPassword(f *testing.F) {
	f.Add([]byte(`"seven lamps 31"`), true)
	f.Add([]byte(`seven lamps 31`), false)
	f.Add([]byte(` {"password": "x"}`), true)
	d := &dialect{&wire.Decoder{}}
	f.Fuzz(func(t *testing.T, body []byte, isJSON bool) {
		media := wire.MediaText
		if isJSON {
			media = "application/json"
		}
		password, err := d.passwordOf(body, media)
		if err != nil {
			return
		}
		if !utf8.ValidString(password) || strings.ContainsRune(password, 0) {
			t.Fatalf("%q came through", password)
		}
		if password == string(body) {
			if start := strings.TrimLeft(password, " \t\r\n"); isJSON && strings.ContainsAny(start[:1], `"{[`) {
				t.Fatalf("a JSON text became the password %q", password)
			}
			return
		}
		var want string
		if json.Unmarshal(body, &want) != nil || want != password {
			t.Fatalf("%q became %q", body, password)
		}
	})
}

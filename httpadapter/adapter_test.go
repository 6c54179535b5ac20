package httpadapter

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/exchange"
	"github.com/usermgmt-go/usermgmt/memstore"
)

const passphrase = "violet cradle 77"

// cheapHash takes some microseconds; it is for tests alone.
var cheapHash = usermgmt.PasswordHash{MemoryKiB: 64, Time: 1, Threads: 1}

const (
	root usermgmt.UserID = "0192a000-0000-7000-8000-00000000000a" // admin
	bob  usermgmt.UserID = "0192a000-0000-7000-8000-00000000000c" // nothing at all
	dan  usermgmt.UserID = "0192a000-0000-7000-8000-00000000000f" // a temporary password
)

// site is an Adapter before a realm with three users.
type site struct {
	*Adapter
	m *usermgmt.Manager
}

func newSite(t testing.TB, o Options) *site {
	t.Helper()
	key, err := usermgmt.GenerateSigningKey(nil)
	require.NoError(t, err)
	m, err := usermgmt.New(memstore.New(), usermgmt.Options{
		SigningKeys: []usermgmt.SigningKey{key}, PasswordHash: cheapHash, HashSlots: 2,
		AccessTokenTTL: 90 * time.Second, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	t.Cleanup(func() { _ = m.Close() })
	populate(t, m)
	a, err := New(m, o)
	require.NoError(t, err)
	return &site{a, m}
}

func populate(t testing.TB, m *usermgmt.Manager) {
	t.Helper()
	for _, n := range []usermgmt.NewUser{
		{ID: root, Username: "root@example.com", Email: "root@mail.example", Grants: []usermgmt.Grant{{Role: usermgmt.RoleAdmin, Kind: usermgmt.ScopeRealm}}},
		{ID: bob, Username: "bob@example.com"},
		{ID: dan, Username: "dan@example.com", TemporaryPassword: true},
	} {
		n.Password = passphrase
		_, err := m.CreateUser(t.Context(), n)
		require.NoError(t, err)
	}
}

// answer is a decoded answer.
type answer struct {
	status int
	header http.Header
	text   string
	body   map[string]any
}

// call makes a request; an empty token sends no credential.
func (s *site) call(t testing.TB, token, method, target, body string) answer {
	t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r := httptest.NewRequest(method, target, reader)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	rec := httptest.NewRecorder()
	s.ServeHTTP(rec, r)
	return answerOf(rec)
}

func answerOf(rec *httptest.ResponseRecorder) answer {
	a := answer{status: rec.Code, header: rec.Header(), text: rec.Body.String()}
	_ = json.Unmarshal(rec.Body.Bytes(), &a.body) // some answers are no objects
	return a
}

// signIn returns access and refresh token.
func (s *site) signIn(t testing.TB, name, password string) (access, refresh string) {
	t.Helper()
	a := s.call(t, "", "POST", "/session", `{"username": "`+name+`@example.com", "password": "`+password+`"}`)
	require.Equal(t, 200, a.status, a.text)
	refresh, _ = a.body["refresh_token"].(string)
	return a.body["access_token"].(string), refresh
}

func TestNew(t *testing.T) {
	t.Parallel()
	s := newSite(t, Options{})
	_, err := New(nil, Options{})
	require.Error(t, err)
	for _, o := range []Options{
		{MaxBody: -1}, {Prefix: "no-slash"}, {Prefix: "/{x}"}, {Dialects: []Dialect{"latin"}}, {Dialects: []Dialect{Socotra, Socotra}},
		{OEMRole: "nonsense"}, {OEMRole: usermgmt.RoleAdmin},
	} {
		_, err := New(s.m, o)
		require.Error(t, err, "%+v", o)
	}
	for _, d := range Dialects() {
		_, err := New(s.m, Options{Dialects: []Dialect{d}})
		require.NoError(t, err)
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	t.Run("prefix", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, Options{Prefix: "/api/v1/"})
		require.Equal(t, 401, s.call(t, "", "GET", "/api/v1/auth/users/whoami", "").status)
		require.Equal(t, 404, s.call(t, "", "GET", "/auth/users/whoami", "").status)
		require.Equal(t, 200, s.call(t, "", "GET", "/api/v1/.well-known/jwks.json", "").status)
	})
	t.Run("no_sessions", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, Options{NoSessions: true})
		for _, path := range []string{"/session", "/.well-known/jwks.json"} {
			require.Equal(t, 404, s.call(t, "", "GET", path, "").status)
		}
	})
	t.Run("max_body", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, Options{MaxBody: 100})
		body := `{"username": "` + strings.Repeat("x", 100) + `", "password": "x"}`
		require.Equal(t, 413, s.call(t, "", "POST", "/session", body).status)
		token, _ := s.signIn(t, "root", passphrase)
		require.Equal(t, 413, s.call(t, token, "POST", "/auth/roles", `{"name": "`+strings.Repeat("x", 100)+`"}`).status)
	})
	t.Run("oem_role", func(t *testing.T) {
		t.Parallel()
		for given, shown := range map[usermgmt.RoleID]string{"": "viewer", usermgmt.RoleEditor: "editor", usermgmt.RoleUnassigned: "unassigned"} {
			s := newSite(t, Options{OEMRole: given})
			_, err := s.m.CreateOrganization(t.Context(), usermgmt.NewOrganization{ID: "acme", Name: "Acme", OEMProvisioning: true, Owner: bob})
			require.NoError(t, err)
			token, _ := s.signIn(t, "root", passphrase)
			made := s.call(t, token, "POST", "/v1/organizations/acme/oem/users", `{"email": "eve@example.com"}`)
			require.Equal(t, 200, made.status, made.text)
			require.Contains(t, made.text, `"role":"`+shown+`"`)
		}
	})
	t.Run("realm", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, Options{Realm: func(r *http.Request) usermgmt.Realm {
			return usermgmt.Realm(strings.TrimSuffix(r.Host, ".example.com"))
		}})
		populate(t, s.m.Realm("blue"))
		ask := func(host, token string) int {
			r := httptest.NewRequest("GET", "http://"+host+"/auth/users/whoami", nil)
			r.Header.Set("Authorization", "Bearer "+token)
			rec := httptest.NewRecorder()
			s.ServeHTTP(rec, r)
			return rec.Code
		}
		blue, err := s.m.Realm("blue").SignIn(t.Context(), "root@example.com", passphrase)
		require.NoError(t, err)
		own, err := s.m.SignIn(t.Context(), "root@example.com", passphrase)
		require.NoError(t, err)
		require.Equal(t, 200, ask("blue.example.com", blue.AccessToken))
		require.Equal(t, 401, ask("blue.example.com", own.AccessToken), "a token of another realm")
		require.Equal(t, 200, ask("main.example.com", own.AccessToken))
		require.Equal(t, 401, ask("main.example.com", blue.AccessToken))
		require.Equal(t, 404, ask(".example.com", own.AccessToken), "a realm that cannot exist")
	})
}

// TestLogHoldsNoSecrets: what callers send and get stays out of the log, at
// whatever level.
func TestLogHoldsNoSecrets(t *testing.T) {
	t.Parallel()
	var log exchange.Log
	s := newSite(t, Options{Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	access, refresh := s.signIn(t, "root", passphrase)
	s.call(t, access, "POST", "/auth/users", `{"firstName": "E", "lastName": "M", "userName": "eve@example.com", "password": "canary-secret 1"}`)
	s.call(t, access, "PATCH", "/auth/users/"+string(bob)+"/passwordreset", `canary-secret 2`)
	s.call(t, access+"x", "GET", "/auth/users/list?canary-query=1", "")
	s.call(t, "", "POST", "/session", `{"username": "bob@example.com", "password": "canary-secret 3"}`)
	s.call(t, "", "POST", "/session/refresh", `{"refresh_token": "`+refresh+`"}`)
	s.call(t, "", "POST", "/session/refresh", `{"refresh_token": "`+refresh+`"}`)
	text := log.String()
	require.Contains(t, text, "/auth/users")
	for _, secret := range []string{"canary", access[:40], refresh, passphrase, "example.com"} {
		require.NotContains(t, text, secret)
	}
}

// TestRefusalsNameTheCaller: whoever is refused a right leaves his name in the log.
func TestRefusalsNameTheCaller(t *testing.T) {
	t.Parallel()
	var log exchange.Log
	s := newSite(t, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	access, _ := s.signIn(t, "bob", passphrase)
	refused := s.call(t, access, "POST", "/auth/users", `{"firstName": "E", "lastName": "M", "userName": "eve@example.com", "password": "a long one 1"}`)
	require.Equal(t, 403, refused.status)
	require.Regexp(t, `route=/auth/users status=403 .* caller=user:`+string(bob)+"\n", log.String())
	s.call(t, access+"x", "POST", "/auth/users", `{}`)
	require.Regexp(t, `route=/auth/users status=401 .* request_id=\S+\n$`, log.String(), "nobody is named on his own word")
}

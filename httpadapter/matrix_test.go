package httpadapter

import (
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/units/stores"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
	"github.com/usermgmt-go/usermgmt/memstore"
	"github.com/usermgmt-go/usermgmt/pgstore"
	"github.com/usermgmt-go/usermgmt/pgstore/pgtest"
	"github.com/usermgmt-go/usermgmt/sqlitestore"
	"github.com/usermgmt-go/usermgmt/store"
)

// matrix is the world of the authorization table: two vendors with an
// organization each, people in both, keys and tokens that work and that no
// longer do, and a second realm.
type matrix struct {
	*Adapter
	m   *usermgmt.Manager
	key usermgmt.SigningKey
	// bearer is the token of each kind of caller who has one, by the kind's name.
	bearer map[string]string
	// organizationTokens: "own" and "foreign", and "revoked", which was one of acme's.
	organizationTokens map[string]string
	made               int // users made for one permission
}

// The clients' credentials.
const (
	clientID, clientSecret = "oem", "oem-secret-42"
	rivalID, rivalSecret   = "rival", "rival-secret-42"
)

// backends are the stores that the table holds on.
var backends = stores.Of(memstore.New, sqlitestore.Open, pgstore.Open, pgtest.URL)

// cheapestHash is for a world that is made hundreds of times.
var cheapestHash = usermgmt.PasswordHash{MemoryKiB: 8, Time: 1, Threads: 1}

var matrixClock = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newMatrix(t testing.TB, s store.Store) *matrix {
	t.Helper()
	key, err := usermgmt.GenerateSigningKey(nil)
	require.NoError(t, err)
	w := &matrix{key: key, bearer: map[string]string{}, organizationTokens: map[string]string{}}
	w.m, err = usermgmt.New(s, usermgmt.Options{
		SigningKeys: []usermgmt.SigningKey{key}, PasswordHash: cheapestHash, HashSlots: 2, RedirectURL: "https://app.example/enter",
		Clock: func() time.Time { return matrixClock }, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	snapshot, err := usermgmt.ParseSnapshot(strings.NewReader(matrixData))
	require.NoError(t, err)
	require.NoError(t, w.m.Apply(t.Context(), snapshot))
	blue := w.m.Realm("blue")
	snapshot, err = usermgmt.ParseSnapshot(strings.NewReader(`{"users": [{"id": "alien", "username": "alien"}], "roles": [{"id": "crew", "name": "crew"}]}`))
	require.NoError(t, err)
	require.NoError(t, blue.Apply(t.Context(), snapshot))
	sign := newSigner(t)
	p := sign.provider
	p.KeysURL, p.Client = "https://idp.example/keys", &http.Client{Transport: sign.set}
	p.User = func(_ context.Context, id Identity) (usermgmt.UserID, error) { return usermgmt.UserID(id.Subject), nil }
	w.Adapter, err = New(w.m, Options{IdentityProvider: &p})
	require.NoError(t, err)

	w.clients(t)
	w.keys(t)
	w.users(t)
	w.forgeries(t)
	w.provided(t, sign)
	return w
}

const matrixData = `{
  "tenants": [{"id": "t1", "name": "One"}],
  "roles": [{"id": "team", "name": "team"}],
  "users": [
    {"id": "root", "username": "root", "password": "violet cradle 77", "roles": [{"name": "admin"}]},
    {"id": "deleted", "username": "deleted", "password": "violet cradle 77", "roles": [{"name": "admin"}]},
    {"id": "disabled", "username": "disabled", "password": "violet cradle 77", "roles": [{"name": "admin"}]},
    {"id": "again", "username": "again", "password": "violet cradle 77", "roles": [{"name": "admin"}]},
    {"id": "member", "username": "member", "password": "violet cradle 77"},
    {"id": "admin", "username": "admin", "password": "violet cradle 77"},
    {"id": "owner", "username": "owner", "password": "violet cradle 77"},
    {"id": "member2", "username": "member2", "password": "violet cradle 77"},
    {"id": "admin2", "username": "admin2", "password": "violet cradle 77"},
    {"id": "owner2", "username": "owner2", "password": "violet cradle 77"},
    {"id": "tenant", "username": "tenant", "password": "violet cradle 77", "tenants": ["t1"]},
    {"id": "sven", "username": "sven", "password": "violet cradle 77", "roles": [{"name": "SUPERVISOR", "facilities": ["F1"]}]},
    {"id": "fresh", "username": "fresh", "password": "violet cradle 77", "temporaryPassword": true, "roles": [{"name": "admin"}]},
    {"id": "plain", "username": "plain"},
    {"id": "mia", "username": "mia"},
    {"id": "mia2", "username": "mia2"},
    {"id": "gone", "username": "gone"},
    {"id": "picker", "username": "picker", "roles": [{"name": "FULFILLER", "facilities": ["F1"]}]},
    {"id": "picker2", "username": "picker2", "roles": [{"name": "FULFILLER", "facilities": ["F2"]}]}
  ],
  "vendors": [
    {"name": "OEM", "clientId": "oem", "clientSecret": "oem-secret-42", "scopes": ["vendor_manage"]},
    {"name": "Rival", "clientId": "rival", "clientSecret": "rival-secret-42", "scopes": ["vendor_manage"]}
  ],
  "organizations": [
    {"id": "acme", "name": "Acme", "vendor": "oem", "vendorOrganizationId": "1", "oemProvisioning": true, "members": [
      {"user": "owner", "role": "owner"}, {"user": "root", "role": "admin"}, {"user": "admin", "role": "admin"}, {"user": "member", "role": "member"},
      {"user": "mia", "role": "unassigned"}, {"user": "gone", "role": "unassigned"}],
     "apiKeys": [{"name": "own", "key": "key-of-acme", "role": "admin"}, {"id": "old", "name": "old", "key": "old-key-of-acme", "role": "owner"}]},
    {"id": "other", "name": "Other", "vendor": "rival", "vendorOrganizationId": "2", "oemProvisioning": true, "members": [
      {"user": "owner2", "role": "owner"}, {"user": "admin2", "role": "admin"}, {"user": "member2", "role": "member"}, {"user": "mia2", "role": "unassigned"}],
     "apiKeys": [{"name": "own", "key": "key-of-other", "role": "admin"}]}
  ]
}`

func (w *matrix) clients(t testing.TB) {
	t.Helper()
	for name, of := range map[string][2]string{"own": {"acme", "mia"}, "foreign": {"other", "mia2"}, "revoked": {"acme", "gone"}} {
		_, token, err := w.m.CreateOrganizationToken(t.Context(), usermgmt.OrganizationID(of[0]), usermgmt.UserID(of[1]))
		require.NoError(t, err)
		w.organizationTokens[name] = token
	}
	require.NoError(t, w.m.RemoveMember(t.Context(), "acme", "gone"))
	oem, err := w.m.AuthenticateVendor(t.Context(), clientID, clientSecret)
	require.NoError(t, err)
	for kind, client := range map[string][2]string{kindClient: {clientID, clientSecret}, kindRival: {rivalID, rivalSecret}} {
		token, err := w.m.VendorToken(t.Context(), client[0], client[1])
		require.NoError(t, err)
		w.bearer[kind] = token.AccessToken
	}
	_, token, err := w.m.CreateOrganizationToken(t.Context(), "acme", "root")
	require.NoError(t, err)
	code, err := w.m.As(oem).CreateCode(t.Context(), token)
	require.NoError(t, err)
	_, tokens, err := w.m.RedeemCode(t.Context(), code.Code)
	require.NoError(t, err)
	w.bearer[kindConfined] = tokens.AccessToken
	// What else a client may take for a bearer token.
	w.bearer[kindClientForeign], w.bearer[kindClientRevoked] = w.organizationTokens["foreign"], w.organizationTokens["revoked"]
	w.bearer[kindClientWrong] = clientSecret
}

func (w *matrix) keys(t testing.TB) {
	t.Helper()
	require.NoError(t, w.m.DeleteKey(t.Context(), "old"))
	w.bearer["API key of the organization"] = "key-of-acme"
	w.bearer["API key of another"] = "key-of-other"
	w.bearer["API key, revoked"] = "old-key-of-acme"
}

func (w *matrix) signIn(t testing.TB, id string) string {
	t.Helper()
	tokens, err := w.m.SignIn(t.Context(), id, passphrase)
	require.NoError(t, err, id)
	return tokens.AccessToken
}

func (w *matrix) users(t testing.TB) {
	t.Helper()
	for kind, id := range map[string]string{
		"member of the organization": "member", "admin of the organization": "admin", "owner of the organization": "owner",
		"member of another": "member2", "admin of another": "admin2", "owner of another": "owner2",
		"user of another tenant": "tenant", kindRoot: "root", kindSupervisor: "sven", kindTemporary: "fresh",
		"JWT of a deleted user": "deleted", "JWT of a disabled user": "disabled", "JWT of a user created again": "again",
	} {
		w.bearer[kind] = w.signIn(t, id)
	}
	ctx := t.Context()
	require.NoError(t, w.m.DisableUser(ctx, "disabled"))
	for _, id := range []usermgmt.UserID{"deleted", "again"} {
		require.NoError(t, w.m.DeleteUser(ctx, id))
	}
	_, err := w.m.CreateUser(ctx, usermgmt.NewUser{
		ID: "again", Username: "again", Password: passphrase, Grants: []usermgmt.Grant{{Role: usermgmt.RoleAdmin, Kind: usermgmt.ScopeRealm}},
	})
	require.NoError(t, err)
}

// forgeries makes tokens from the administrator's, each wrong in one way.
func (w *matrix) forgeries(t testing.TB) {
	t.Helper()
	parts := strings.Split(w.bearer[kindRoot], ".")
	decode := func(part string) map[string]any {
		raw, err := base64.RawURLEncoding.DecodeString(part)
		require.NoError(t, err)
		var members map[string]any
		require.NoError(t, json.Unmarshal(raw, &members))
		return members
	}
	encode := func(members map[string]any) string {
		raw, err := json.Marshal(members)
		require.NoError(t, err)
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	sign := func(text string) []byte { return ed25519.Sign(w.key.Key.(ed25519.PrivateKey), []byte(text)) }
	forge := func(in int, member string, value any, sign func(string) []byte) string {
		sections := []map[string]any{decode(parts[0]), decode(parts[1])}
		sections[in][member] = value
		text := encode(sections[0]) + "." + encode(sections[1])
		return text + "." + base64.RawURLEncoding.EncodeToString(sign(text))
	}
	byPublicKey := func(text string) []byte {
		mac := hmac.New(sha256.New, w.key.Key.(ed25519.PrivateKey).Public().(ed25519.PublicKey))
		mac.Write([]byte(text))
		return mac.Sum(nil)
	}
	w.bearer["JWT, expired"] = forge(1, "exp", matrixClock.Unix(), sign)
	w.bearer["JWT, not yet valid"] = forge(1, "nbf", matrixClock.Add(time.Hour).Unix(), sign)
	w.bearer["JWT of another issuer"] = forge(1, "iss", "somebody", sign)
	w.bearer["JWT for another audience"] = forge(1, "aud", "somebody", sign)
	w.bearer["JWT, another algorithm"] = forge(0, "alg", "HS256", byPublicKey)
	w.bearer["JWT, algorithm none"] = forge(0, "alg", "none", func(string) []byte { return nil })
	w.bearer["JWT, unknown key id"] = forge(0, "kid", "unknown", sign)
	require.Equal(t, 200, w.status(t, forge(1, "jti", "x", sign)), "the forger's other tokens are good")
}

// provided makes tokens of an identity provider.
func (w *matrix) provided(t testing.TB, sign signer) {
	t.Helper()
	hour := map[string]any{"exp": time.Now().Add(time.Hour).Unix()}
	for kind, twin := range twins {
		who, err := w.m.Authenticate(t.Context(), w.bearer[twin])
		require.NoError(t, err)
		w.bearer[kind] = sign.token(t, string(who.UserID()), hour)
	}
	w.bearer["identity provider's token of a deleted user"] = sign.token(t, "deleted", hour)
	w.bearer["identity provider's token of a disabled user"] = sign.token(t, "disabled", hour)
	w.bearer["identity provider's token, expired"] = sign.token(t, "root", map[string]any{"exp": time.Now().Add(-time.Hour).Unix()})
	w.bearer["identity provider's token for another audience"] = sign.token(t, "root", map[string]any{"aud": "somebody"})
}

func (w *matrix) status(t testing.TB, token string) int {
	t.Helper()
	return (&site{w.Adapter, w.m}).call(t, token, "GET", "/auth/users/whoami", "").status
}

// Kinds of caller that are named twice.
const (
	kindRoot          = "realm administrator"
	kindOnly          = "role with that permission alone"
	kindAllBut        = "role with all but that permission"
	kindClient        = "client, own organization token"
	kindClientForeign = "client, foreign organization token"
	kindClientRevoked = "client, revoked organization token"
	kindClientWrong   = "client, wrong secret"
	kindRival         = "client of another vendor"
	kindSupervisor    = "supervisor of a facility"
	kindTemporary     = "administrator with a temporary password"
	kindConfined      = "administrator by a vendor's sign-in"
)

// kinds of caller. Beside those of whom a token is known, in w.bearer, there are
// some who send something else, and two whose rights are made for each route.
var kinds = []string{
	"nobody", "empty bearer", "malformed bearer", "another scheme", "two Authorization headers",
	"JWT, expired", "JWT, not yet valid", "JWT of another issuer", "JWT for another audience", "JWT, another algorithm", "JWT, algorithm none", "JWT, unknown key id",
	"identity provider's token of a deleted user", "identity provider's token of a disabled user",
	"identity provider's token, expired", "identity provider's token for another audience",
	"JWT of a deleted user", "JWT of a disabled user", "JWT of a user created again",
	"member of the organization", "admin of the organization", "owner of the organization",
	"member of another", "admin of another", "owner of another", "user of another tenant", kindOnly, kindAllBut,
	"API key of the organization", "API key of another", "API key, revoked",
	kindClient, kindClientForeign, kindClientRevoked, kindRival, kindClientWrong,
	kindRoot, kindSupervisor, kindTemporary, kindConfined,
	"member by an identity provider", "owner by an identity provider", "administrator by an identity provider",
}

// twins are kinds who come by an identity provider's token, and as whom they
// come by one of ours: they may do the same.
var twins = map[string]string{
	"member by an identity provider":        "member of the organization",
	"owner by an identity provider":         "owner of the organization",
	"administrator by an identity provider": kindRoot,
}

// authorize gives a request the credentials of a kind.
func (w *matrix) authorize(t testing.TB, r *http.Request, route wire.Route, kind string) {
	t.Helper()
	switch kind {
	case "nobody":
		return
	case "empty bearer":
		r.Header.Set("Authorization", "Bearer ")
	case "malformed bearer":
		r.Header.Set("Authorization", "Bearer "+w.bearer[kindRoot]+" "+w.bearer[kindRoot])
	case "another scheme":
		r.Header.Set("Authorization", "Token "+w.bearer[kindRoot])
	case "two Authorization headers":
		r.Header["Authorization"] = []string{"Bearer " + w.bearer[kindRoot], "Bearer " + w.bearer[kindRoot]}
	case kindOnly, kindAllBut:
		r.Header.Set("Authorization", "Bearer "+w.holder(t, route.Policy, kind))
	default:
		if route.Policy.Who == wire.WhoVendor && strings.HasPrefix(kind, "client") {
			return // their credentials are in the body
		}
		token, ok := w.bearer[kind]
		require.True(t, ok, kind)
		r.Header.Set("Authorization", "Bearer "+token)
	}
}

// holder makes a user who holds the policy's permission alone, or all others, at
// the policy's scope, and returns a token of his.
func (w *matrix) holder(t testing.TB, p wire.Policy, kind string) string {
	t.Helper()
	ctx := t.Context()
	needed := strings.Split(p.Permission, "|")
	var ps []usermgmt.Permission
	if kind == kindOnly && p.Permission != "" {
		ps = append(ps, usermgmt.Permission(needed[0]))
	}
	if kind == kindAllBut {
		all, err := w.m.Permissions(ctx)
		require.NoError(t, err)
		for _, one := range all {
			if !slices.Contains(needed, string(one)) && !strings.HasSuffix(string(one), "*") {
				ps = append(ps, one)
			}
		}
	}
	w.made++
	name := fmt.Sprintf("holder-%d", w.made)
	scope, _, _ := strings.Cut(p.Scope, "|")
	role := usermgmt.NewRole{Name: name, Permissions: ps}
	n := usermgmt.NewUser{ID: usermgmt.UserID(name), Username: name, Password: passphrase}
	switch scope {
	case "organization":
		role.Scope = usermgmt.ScopeOrganization
	case "facility":
		role.Scope = usermgmt.ScopeFacility
	}
	made, err := w.m.CreateRole(ctx, role)
	require.NoError(t, err)
	switch role.Scope {
	case usermgmt.ScopeOrganization:
	case usermgmt.ScopeFacility:
		n.Grants = []usermgmt.Grant{{Role: made.ID, Kind: usermgmt.ScopeFacility, Scopes: []string{"F1"}}}
	default:
		n.Grants = []usermgmt.Grant{{Role: made.ID, Kind: usermgmt.ScopeRealm}}
	}
	_, err = w.m.CreateUser(ctx, n)
	require.NoError(t, err)
	if role.Scope == usermgmt.ScopeOrganization {
		_, err = w.m.AddMember(ctx, "acme", usermgmt.NewMember{User: n.ID, Role: made.ID})
		require.NoError(t, err)
	}
	return w.signIn(t, name)
}

package httpadapter

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/internal/tier"
	"github.com/usermgmt-go/usermgmt/memstore"
	"github.com/usermgmt-go/usermgmt/sqlitestore"
	"github.com/usermgmt-go/usermgmt/store"
)

// maxT is the greatest |t| of Welch's test that passes for no difference; it is
// exceeded by chance once in 150,000 times.
const maxT = 4.5

// samples of one class are times in nanoseconds.
type samples []float64

func (s samples) mean() float64 {
	sum := 0.0
	for _, x := range s {
		sum += x
	}
	return sum / float64(len(s))
}

func (s samples) variance() float64 {
	mean, sum := s.mean(), 0.0
	for _, x := range s {
		sum += (x - mean) * (x - mean)
	}
	return sum / float64(len(s)-1)
}

// below leaves out what lies above a bound: pauses that are nobody's secret.
func (s samples) below(bound float64) samples {
	return slices.DeleteFunc(slices.Clone(s), func(x float64) bool { return x > bound })
}

// welch is the t statistic of two classes.
func welch(a, b samples) float64 {
	return (a.mean() - b.mean()) / math.Sqrt(a.variance()/float64(len(a))+b.variance()/float64(len(b)))
}

func TestWelch(t *testing.T) {
	t.Parallel()
	require.InDelta(t, -2.70779, welch(samples{20.4, 24.2, 15.4, 21.4, 20.2, 18.5, 21.5}, samples{20.2, 16.9, 18.5, 17.3, 20.5, 33.4, 40.1, 29.6, 31.5, 28.4}), 1)
	r := rand.New(rand.NewPCG(1, 2))
	a, b, c := make(samples, 10_000), make(samples, 10_000), make(samples, 10_000)
	for i := range a {
		a[i], b[i], c[i] = r.NormFloat64(), r.NormFloat64(), r.NormFloat64()+0.1
	}
	require.Less(t, math.Abs(welch(a, b)), maxT)
	require.Greater(t, math.Abs(welch(a, c)), maxT, "a tenth of a standard deviation is seen")
}

// contest compares how long two kinds of request take, of each n, in an order
// that is drawn by lot. The requests are made beforehand.
func contest(t *testing.T, h http.Handler, status, n int, kinds [2]func(i int) *http.Request) (difference time.Duration, statistic float64) {
	t.Helper()
	type shot struct {
		kind int
		r    *http.Request
	}
	shots := make([]shot, 0, 2*n)
	for i := range n {
		for kind, request := range kinds {
			r := request(i)
			r.RemoteAddr = fmt.Sprintf("10.%d.%d.%d:1", i>>15&0x7f, i>>7&0xff, i&0x7f)
			shots = append(shots, shot{kind, r})
		}
	}
	r := rand.New(rand.NewPCG(5, 6))
	r.Shuffle(len(shots), func(i, j int) { shots[i], shots[j] = shots[j], shots[i] })
	var taken [2]samples
	for i, s := range shots {
		rec := httptest.NewRecorder()
		begin := time.Now()
		h.ServeHTTP(rec, s.r)
		took := time.Since(begin)
		require.Equal(t, status, rec.Code, rec.Body.String())
		if i >= len(shots)/20 { // what is first warms up
			taken[s.kind] = append(taken[s.kind], float64(took))
		}
	}
	all := slices.Sorted(slices.Values(append(slices.Clone(taken[0]), taken[1]...)))
	bound := all[len(all)*95/100]
	a, b := taken[0].below(bound), taken[1].below(bound)
	return time.Duration(a.mean() - b.mean()), welch(a, b)
}

// spoilAt changes one character of a secret, near its beginning or at its end.
func spoilAt(secret string, i int) string {
	c := byte('A')
	if secret[i] == c {
		c = 'B'
	}
	return secret[:i] + string(c) + secret[i+1:]
}

// TestTiming: how long an answer takes tells neither whether a user exists nor how
// much of a secret was right. What takes most of the time, the password's hash,
// is made cheap, so that the rest is not drowned by it.
//
// Access tokens are signed by HMAC here, whose code is compared with a secret one.
// Other signatures are verified by calculating with public numbers, for as long as
// these take: that differs from token to token, and tells nobody what he does not know.
func TestTiming(t *testing.T) {
	n := tier.Count(0, 0, 10_000, 100_000)
	if n == 0 {
		t.Skip("left out by day: times that are compared need a machine that does nothing else; USERMGMT_TIER=night runs it")
	}
	for name, open := range map[string]func(*testing.T) store.Store{
		"memstore": func(*testing.T) store.Store { return memstore.New() },
		"sqlitestore": func(t *testing.T) store.Store {
			s, err := sqlitestore.Open(t.Context(), filepath.Join(t.TempDir(), "users.db"), nil)
			require.NoError(t, err)
			return s
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newTimed(t, open(t), cheapHash, n)
			s.compare(t, "password of a known and of an unknown user", 400, n, s.password("real"), s.password("none"))
			s.compare(t, "client secret, wrong early and late", 401, n, s.clientSecret(early), s.clientSecret(late))
			s.compare(t, "API key, wrong early and late", 401, n,
				bearer(func(i int) string { return spoilAt(s.keys[i], early(s.keys[i])) }),
				bearer(func(i int) string { return spoilAt(s.keys[i], late(s.keys[i])) }))
			access, refresh := s.signIn(t, "root", passphrase)
			inSignature := strings.LastIndexByte(access, '.') + 1
			wrong := [2]string{spoilAt(access, inSignature), spoilAt(access, late(access))}
			s.compare(t, "signature of an access token, wrong early and late", 401, n,
				bearer(func(int) string { return wrong[0] }), bearer(func(int) string { return wrong[1] }))
			s.compare(t, "refresh token, wrong early and late", 400, n,
				renewal(t, spoilAt(refresh, early(refresh))), renewal(t, spoilAt(refresh, late(refresh))))
		})
	}
	t.Run("the default hash", func(t *testing.T) {
		s := newTimed(t, memstore.New(), usermgmt.PasswordHash{}, 200)
		s.compare(t, "password of a known and of an unknown user", 400, 200, s.password("real"), s.password("none"))
	})
}

// timed is a site with users, vendors and keys, of which each is guessed at once
// of each kind.
type timed struct {
	*site
	vendors, keys []string // their secrets
}

func newTimed(t *testing.T, st store.Store, hash usermgmt.PasswordHash, n int) *timed {
	t.Helper()
	ctx := t.Context()
	m, err := usermgmt.New(st, usermgmt.Options{
		SigningKeys:  []usermgmt.SigningKey{{ID: "k", Key: []byte("32 bytes that are no secret here")}},
		PasswordHash: hash, AccessTokenTTL: time.Hour, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	populate(t, m)
	_, err = m.CreateOrganization(ctx, usermgmt.NewOrganization{ID: "acme", Name: "Acme", OEMProvisioning: true, Owner: bob})
	require.NoError(t, err)
	s := &timed{vendors: make([]string, n), keys: make([]string, n)}
	for i := range n {
		_, err := m.CreateUser(ctx, usermgmt.NewUser{Username: fmt.Sprintf("real-%06d@example.com", i), Password: passphrase})
		require.NoError(t, err)
		_, s.vendors[i], err = m.CreateVendor(ctx, usermgmt.NewVendor{Name: "V", ClientID: fmt.Sprintf("client-%06d", i), Scopes: []string{usermgmt.ScopeVendorManage}})
		require.NoError(t, err)
		_, s.keys[i], err = m.CreateKey(ctx, "acme", usermgmt.NewKey{Name: "k", Role: usermgmt.RoleReader})
		require.NoError(t, err)
	}
	a, err := New(m, Options{})
	require.NoError(t, err)
	s.site = &site{a, m}
	return s
}

// compare fails if the two kinds of request can be told apart.
func (s *timed) compare(t *testing.T, what string, status, n int, one, other func(i int) *http.Request) {
	t.Helper()
	difference, statistic := contest(t, s, status, n, [2]func(int) *http.Request{one, other})
	t.Logf("%-52s 2 x %d samples: %v apart, t = %.2f", what, n, difference, statistic)
	if math.Abs(statistic) >= maxT {
		t.Errorf("%s: t = %.2f", what, statistic)
	}
}

func (s *timed) password(kind string) func(int) *http.Request {
	return func(i int) *http.Request {
		return posted("/session", "application/json", fmt.Sprintf(`{"username": "%s-%06d@example.com", "password": "wrong"}`, kind, i))
	}
}

func (s *timed) clientSecret(at func(secret string) int) func(int) *http.Request {
	return func(i int) *http.Request {
		return posted("/oauth2/token", "application/x-www-form-urlencoded",
			fmt.Sprintf("grant_type=client_credentials&client_id=client-%06d&client_secret=%s", i, spoilAt(s.vendors[i], at(s.vendors[i]))))
	}
}

// early and late are where a secret is spoiled: behind its prefix, and before
// its last character, not all of whose bits count.
func early(secret string) int { return strings.IndexByte(secret, '_') + 1 }
func late(secret string) int  { return len(secret) - 2 }

func posted(path, contentType, body string) *http.Request {
	r := httptest.NewRequest("POST", path, strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	return r
}

func bearer(token func(i int) string) func(int) *http.Request {
	return func(i int) *http.Request {
		r := httptest.NewRequest("GET", "/v1/organizations/acme/collaborators", nil)
		r.Header.Set("Authorization", "Bearer "+token(i))
		return r
	}
}

func renewal(t *testing.T, token string) func(int) *http.Request {
	t.Helper()
	body, err := json.Marshal(map[string]string{"refresh_token": token})
	require.NoError(t, err)
	return func(int) *http.Request { return posted("/session/refresh", "application/json", string(body)) }
}

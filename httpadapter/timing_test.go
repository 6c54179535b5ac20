package httpadapter

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/internal/tier"
	"github.com/usermgmt-go/usermgmt/memstore"
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
func TestTiming(t *testing.T) {
	n := tier.Count(0, 0, 10_000, 100_000)
	if n == 0 {
		t.Skip("left out by day: times that are compared need a machine that does nothing else; USERMGMT_TIER=night runs it")
	}
	ctx := t.Context()
	key, err := usermgmt.GenerateSigningKey(nil)
	require.NoError(t, err)
	newSite := func(hash usermgmt.PasswordHash, users int) (*site, []string, []string) {
		m, err := usermgmt.New(memstore.New(), usermgmt.Options{
			SigningKeys: []usermgmt.SigningKey{key}, PasswordHash: hash, AccessTokenTTL: time.Hour, Logger: slog.New(slog.DiscardHandler),
		})
		require.NoError(t, err)
		t.Cleanup(func() { _ = m.Close() })
		populate(t, m)
		_, err = m.CreateOrganization(ctx, usermgmt.NewOrganization{ID: "acme", Name: "Acme", OEMProvisioning: true, Owner: bob})
		require.NoError(t, err)
		vendors, keys := make([]string, users), make([]string, users)
		for i := range users { // each is guessed at once of each kind
			_, err := m.CreateUser(ctx, usermgmt.NewUser{Username: fmt.Sprintf("real-%06d@example.com", i), Password: passphrase})
			require.NoError(t, err)
			_, vendors[i], err = m.CreateVendor(ctx, usermgmt.NewVendor{Name: "V", ClientID: fmt.Sprintf("client-%06d", i), Scopes: []string{usermgmt.ScopeVendorManage}})
			require.NoError(t, err)
			_, keys[i], err = m.CreateKey(ctx, "acme", usermgmt.NewKey{Name: "k", Role: usermgmt.RoleReader})
			require.NoError(t, err)
		}
		a, err := New(m, Options{})
		require.NoError(t, err)
		return &site{a, m}, vendors, keys
	}
	post := func(path, contentType, body string) *http.Request {
		r := httptest.NewRequest("POST", path, strings.NewReader(body))
		r.Header.Set("Content-Type", contentType)
		return r
	}
	guess := func(kind string) func(int) *http.Request {
		return func(i int) *http.Request {
			return post("/session", "application/json", fmt.Sprintf(`{"username": "%s-%06d@example.com", "password": "wrong"}`, kind, i))
		}
	}
	s, vendors, keys := newSite(cheapHash, n)
	client := func(late bool) func(int) *http.Request {
		return func(i int) *http.Request {
			at := len("umv_")
			if late {
				at = len(vendors[i]) - 2
			}
			return post("/oauth2/token", "application/x-www-form-urlencoded",
				fmt.Sprintf("grant_type=client_credentials&client_id=client-%06d&client_secret=%s", i, spoilAt(vendors[i], at)))
		}
	}
	bearer := func(secret func(i int) string, at func(secret string) int) func(int) *http.Request {
		return func(i int) *http.Request {
			r := httptest.NewRequest("GET", "/v1/organizations/acme/collaborators", nil)
			text := secret(i)
			r.Header.Set("Authorization", "Bearer "+spoilAt(text, at(text)))
			return r
		}
	}
	apiKey := func(i int) string { return keys[i] }
	early, late := func(string) int { return len("umk_") }, func(s string) int { return len(s) - 2 }
	access, _ := s.signIn(t, "root", passphrase)
	signature := strings.LastIndexByte(access, '.') + 1
	token := func(int) string { return access }
	refresh := func(late bool) func(int) *http.Request {
		_, text := s.signIn(t, "bob", passphrase)
		at := len("umr_")
		if late {
			at = len(text) - 2
		}
		body, err := json.Marshal(map[string]string{"refresh_token": spoilAt(text, at)})
		require.NoError(t, err)
		return func(int) *http.Request { return post("/session/refresh", "application/json", string(body)) }
	}
	for _, c := range []struct {
		name   string
		status int
		kinds  [2]func(int) *http.Request
	}{
		{"password of a known and of an unknown user", 400, [2]func(int) *http.Request{guess("real"), guess("none")}},
		{"client secret, wrong early and late", 401, [2]func(int) *http.Request{client(false), client(true)}},
		{"API key, wrong early and late", 401, [2]func(int) *http.Request{bearer(apiKey, early), bearer(apiKey, late)}},
		{"signature of an access token, wrong early and late", 401, [2]func(int) *http.Request{
			bearer(token, func(string) int { return signature }), bearer(token, late)}},
		{"refresh token, wrong early and late", 400, [2]func(int) *http.Request{refresh(false), refresh(true)}},
	} {
		difference, statistic := contest(t, s, c.status, n, c.kinds)
		t.Logf("%-52s 2 x %d samples: %v apart, t = %.2f", c.name, n, difference, statistic)
		if math.Abs(statistic) >= maxT {
			t.Errorf("%s: t = %.2f", c.name, statistic)
		}
	}
	few, _, _ := newSite(usermgmt.PasswordHash{}, 200)
	difference, statistic := contest(t, few, 400, 200, [2]func(int) *http.Request{guess("real"), guess("none")})
	t.Logf("%-52s 2 x %d samples: %v apart, t = %.2f", "the same password with the default hash", 200, difference, statistic)
	if math.Abs(statistic) >= maxT {
		t.Errorf("with the default hash: t = %.2f", statistic)
	}
}

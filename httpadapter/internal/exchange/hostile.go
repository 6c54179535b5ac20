package exchange

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Credential is what a request may bring in its Authorization headers, and what
// RFC 6750 has for it.
type Credential struct {
	Name      string
	Header    []string
	Status    int
	Challenge string // in WWW-Authenticate
}

// What RFC 6750 has for a request without a credential, with one that is none,
// with more than one, and with one that is not enough.
const (
	NoCredential      = `Bearer`
	InvalidToken      = `Bearer error="invalid_token"`
	InvalidRequest    = `Bearer error="invalid_request"`
	InsufficientScope = `Bearer error="insufficient_scope"`
)

// Refused is a credential that gets 401.
func Refused(name, challenge string, header ...string) Credential {
	return Credential{name, header, 401, challenge}
}

// Ambiguous is a credential that gets 400.
func Ambiguous(name string, header ...string) Credential {
	return Credential{name, header, 400, InvalidRequest}
}

// Credentials are those that no route takes: what can be made of a good token,
// and the token of a temporary password.
func Credentials(good, temporary string) []Credential {
	bearer := "Bearer " + good
	return []Credential{
		Refused("none", NoCredential),
		Refused("empty", NoCredential, ""),
		Refused("empty bearer", NoCredential, "Bearer "),
		Refused("wrong scheme", NoCredential, "Basic cm9vdDpyb290"),
		Refused("without a scheme", NoCredential, good),
		Refused("garbage", InvalidToken, "Bearer garbage"),
		Refused("truncated", InvalidToken, bearer[:len(bearer)-2]),
		Refused("too long", InvalidToken, "Bearer "+strings.Repeat(".", 9<<10)),
		Ambiguous("twice", bearer, bearer),
		Ambiguous("two in one", bearer+" "+bearer),
		Ambiguous("control character", bearer+"\x01"),
		{"temporary password", []string{"Bearer " + temporary}, 403, InsufficientScope},
	}
}

// Refuses makes the request with each of the credentials, and with a good token
// in the query instead. The body is broken, since credentials go first. Answers
// are shown to check.
func (w World) Refuses(t testing.TB, method, target, good string, cs []Credential, check func(Credential, *httptest.ResponseRecorder)) {
	t.Helper()
	for _, c := range cs {
		r := httptest.NewRequest(method, target, strings.NewReader("{"))
		r.Header["Authorization"] = c.Header
		rec := w.Serve(r)
		require.Equal(t, c.Status, rec.Code, "%s %s: %s", method, target, c.Name)
		require.Equal(t, c.Challenge, rec.Header().Get("WWW-Authenticate"), "%s %s: %s", method, target, c.Name)
		check(c, rec)
	}
	for _, name := range []string{"access_token", "authorization"} {
		rec := w.Serve(httptest.NewRequest(method, target+"?"+name+"="+good, nil))
		require.Equal(t, 401, rec.Code, "%s %s takes a token from the query", method, target)
	}
}

// Methods makes requests of all methods, without a credential. Those that the
// header Allow lists get the status, and others 405.
func (w World) Methods(t testing.TB, path, allow string, status int) {
	t.Helper()
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "get", "post", "BREW"} {
		rec := w.Serve(httptest.NewRequest(method, path, nil))
		if strings.Contains(", "+allow+",", ", "+method+",") {
			require.Equal(t, status, rec.Code, "%s %s", method, path)
			continue
		}
		require.Equal(t, 405, rec.Code, "%s %s", method, path)
		require.Equal(t, allow, rec.Header().Get("Allow"), "%s %s", method, path)
	}
}

// Bodies are those that no route takes.
func Bodies() []string {
	return []string{
		``, ` `, `null`, `[]`, `""`, `1`, `{`, `{}`, `{} {}`, "\xef\xbb\xbf{}", `{"a": ` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`,
	}
}

// Spoilers are members with which no body is taken, whatever else is in it.
func Spoilers() []string {
	return []string{
		`"x": 1, "x": 2`, `"x": "\ud800"`, `"x": "\u0000"`, "\"x\": \"\xff\"", `"x": 01`, `"x": NaN`, `"x": tru`, `"x": [1,]`, `,`,
		`"x": [` + strings.Repeat("0,", 1_000) + `0]`, `"x": "` + strings.Repeat("a", 17<<10) + `"`,
	}
}

// TooLong is a member that makes every body longer than a route reads.
func TooLong() string { return `"x": "` + strings.Repeat("a", 65<<10) + `"` }

// OtherMedia are content types that no route takes which reads JSON alone.
func OtherMedia() []string {
	return []string{
		"text/plain", "application/xml", "application/json; charset=latin1", "x", "application/x-www-form-urlencoded", "multipart/form-data",
	}
}

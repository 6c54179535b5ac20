package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// start runs the application on a file in dir and returns its address.
func start(t *testing.T, dir string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := run(ctx, []string{"-addr", "127.0.0.1:0", "-db", filepath.Join(dir, "app.db")}, in)
		in.CloseWithError(io.EOF)
		done <- err
	}()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
	})
	line := make([]byte, 100)
	n, err := out.Read(line)
	require.NoError(t, err)
	address := regexp.MustCompile(`http://\S+`).FindString(string(line[:n]))
	require.NotEmpty(t, address)
	return address
}

// browser keeps cookies, as one does.
type browser struct {
	t    *testing.T
	base string
	http.Client
}

func newBrowser(t *testing.T, base string) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &browser{t, base, http.Client{Jar: jar}}
}

func (b *browser) answer(res *http.Response, err error) (int, string) {
	b.t.Helper()
	require.NoError(b.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(b.t, err)
	return res.StatusCode, string(text)
}

func (b *browser) get(path string) (int, string) {
	b.t.Helper()
	return b.answer(b.Get(b.base + path))
}

func (b *browser) post(path string, form url.Values) (int, string) {
	b.t.Helper()
	return b.answer(b.PostForm(b.base+path, form))
}

func (b *browser) signIn(name, password string) (int, string) {
	b.t.Helper()
	return b.post("/sign-in", url.Values{"username": {name}, "password": {password}})
}

func TestOwnRoutes(t *testing.T) {
	t.Parallel()
	base := start(t, t.TempDir())
	stranger, olga, bert := newBrowser(t, base), newBrowser(t, base), newBrowser(t, base)

	status, text := stranger.get("/")
	require.Equal(t, 200, status)
	require.Contains(t, text, "Sign in")
	for _, path := range []string{"/home", "/organizations/acme/invoices"} {
		status, _ := stranger.get(path)
		require.Equal(t, 401, status, path)
	}
	status, _ = stranger.signIn("olga@acme.example", "wrong")
	require.Equal(t, 401, status)

	status, text = olga.signIn("olga@acme.example", "demo password 51")
	require.Equal(t, 200, status)
	require.Contains(t, text, "You are Olga Owner.")
	require.NotContains(t, text, "approval", "an owner is no bookkeeper")
	status, text = olga.get("/organizations/acme/invoices")
	require.Equal(t, 200, status)
	require.Contains(t, text, "Paper")
	for _, path := range []string{"/organizations/other/invoices", "/organizations/missing/invoices"} {
		status, _ := olga.get(path)
		require.Equal(t, 403, status, path)
	}
	status, _ = olga.post("/organizations/acme/invoices/1/approval", nil)
	require.Equal(t, 403, status)

	bert.signIn("bert@acme.example", "demo password 52")
	status, text = bert.post("/organizations/acme/invoices/1/approval", nil)
	require.Equal(t, 200, status)
	require.Contains(t, text, "approved by bert")
	for _, number := range []string{"1", "3", "99", "x"} {
		status, _ := bert.post("/organizations/acme/invoices/"+number+"/approval", nil)
		require.Equal(t, 404, status, "approved already, of another organization, or not there: %s", number)
	}
	status, text = bert.post("/sign-out", nil)
	require.Equal(t, 200, status)
	require.Contains(t, text, "Sign in")
	status, _ = bert.get("/home")
	require.Equal(t, 401, status)
}

// TestForeignForms: a form of another site does nothing, though the cookie is sent.
func TestForeignForms(t *testing.T) {
	t.Parallel()
	base := start(t, t.TempDir())
	bert := newBrowser(t, base)
	bert.signIn("bert@acme.example", "demo password 52")
	r, err := http.NewRequest("POST", base+"/organizations/acme/invoices/1/approval", nil)
	require.NoError(t, err)
	r.Header.Set("Origin", "https://evil.example")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	status, _ := bert.answer(bert.Do(r))
	require.Equal(t, 403, status)
}

// TestPartner: the partner's organization, its user and his way in.
func TestPartner(t *testing.T) {
	t.Parallel()
	base := start(t, t.TempDir())
	oem := func(path, rest string) map[string]any {
		t.Helper()
		body := `{"clientId":"partner","clientSecret":"partner secret 53","grantType":"client_credentials","scope":"vendor_manage",` + rest + `}`
		res, err := http.Post(base+"/directory/api/oem-api/"+path, "application/json", strings.NewReader(body))
		require.NoError(t, err)
		defer res.Body.Close()
		var answer map[string]any
		require.NoError(t, json.NewDecoder(res.Body).Decode(&answer))
		require.Equal(t, 201, res.StatusCode, "%v", answer)
		return answer
	}
	token := oem("organization", `"data":{"name":"Example Corp","email":"john@example.org","firstName":"John","lastName":"Doe","vendorOrganizationId":"12345"}`)["organizationOemToken"].(string)
	link := oem("organization/session", `"organizationOemToken":"`+token+`"`)["redirectUrl"].(string)
	require.True(t, strings.HasPrefix(link, base+"/enter?code="), link)

	john := newBrowser(t, base)
	status, text := john.answer(john.Get(link))
	require.Equal(t, 200, status)
	require.Contains(t, text, "You are John Doe.")
	require.Contains(t, text, "Example Corp")
	status, text = john.get("/home")
	require.Equal(t, 200, status, "the cookie signs him in")
	require.Contains(t, text, "You are John Doe.")
	status, _ = john.get("/organizations/acme/invoices")
	require.Equal(t, 403, status)

	status, text = newBrowser(t, base).answer(http.Get(link))
	require.Equal(t, 410, status)
	require.NotContains(t, text, "John")
}

// TestTheFileIsShared: invoices and the directory are in one file, and both are
// there after a restart.
func TestTheFileIsShared(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	t.Run("first", func(t *testing.T) {
		bert := newBrowser(t, start(t, dir))
		bert.signIn("bert@acme.example", "demo password 52")
		bert.post("/organizations/acme/invoices/2/approval", nil)
	})
	files, err := filepath.Glob(filepath.Join(dir, "*.db"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	info, err := os.Stat(files[0])
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "it holds password hashes")
	bert := newBrowser(t, start(t, dir))
	_, text := bert.signIn("bert@acme.example", "demo password 52")
	require.Contains(t, text, "approved by bert")
}

func TestRunRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for text, args := range map[string][]string{
		"no loopback":      {"-addr", "0.0.0.0:0", "-db", filepath.Join(dir, "a.db")},
		"not defined":      {"-nonsense"},
		"absent":           {"-addr", "127.0.0.1:0", "-db", filepath.Join(dir, "absent", "a.db")},
		"missing port":     {"-addr", "127.0.0.1"},
		"is no loopback a": {"-addr", ":0", "-db", filepath.Join(dir, "b.db")},
	} {
		require.ErrorContains(t, run(t.Context(), args, io.Discard), text)
	}
}

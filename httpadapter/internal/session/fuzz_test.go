package session

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

// FuzzBodies reads any body as that of each route. What is taken is an object
// that encoding/json reads alike, with every required member there, and what is
// encoded of it is taken again.
func FuzzBodies(f *testing.F) {
	for _, body := range []string{
		`{"username": "ada@example.com", "password": "violet cradle 77"}`,
		`{"refresh_token": "umr_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}`,
		`{"password": "violet cradle 77", "new_password": "seven lamps 31"}`,
		`{"Username": "ada", "PASSWORD": "x", "username": "bob", "password": "\ud83d\ude00"}`,
		`{"username": "ada", "username": "bob", "password": null}`,
		`{"username": "\u0000", "password": "\ud800", "admin": true}`,
	} {
		f.Add([]byte(body))
	}
	decoder := &wire.Decoder{}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, req := range []any{new(signInRequest), new(refreshRequest), new(passwordRequest)} {
			if err := decoder.Unmarshal(body, req); err != nil {
				if !errors.As(err, new(*wire.Error)) {
					t.Fatalf("%T of %q: %v does not blame the caller", req, body, err)
				}
				continue
			}
			var members map[string]any
			if err := json.Unmarshal(body, &members); err != nil {
				t.Fatalf("%T takes %q, which is no object: %v", req, body, err)
			}
			got := reflect.ValueOf(req).Elem()
			for i := range got.NumField() {
				name, text := got.Type().Field(i).Tag.Get("json"), got.Field(i).String()
				if members[name] != text {
					t.Fatalf("%T of %q has %q for %s", req, body, text, name)
				}
				if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
					t.Fatalf("%T of %q lets %q through", req, body, text)
				}
			}
			value, err := json.Marshal(req)
			if err != nil {
				t.Fatal(err)
			}
			again := reflect.New(got.Type())
			if err := decoder.Unmarshal(value, again.Interface()); err != nil || !reflect.DeepEqual(again.Interface(), req) {
				t.Fatalf("%s comes back as %+v, %v", value, again, err)
			}
		}
	})
}

// FuzzForm reads any body as form parameters: what is taken is UTF-8, holds no
// parameter twice, and is what a second reading of the text gives.
func FuzzForm(f *testing.F) {
	for _, body := range []string{
		"grant_type=client_credentials&client_id=globex&client_secret=the+long+secret&scope=vendor_manage+x",
		"grant_type=client_credentials&client_id=a%26b&client_secret=%C3%A9%2B%25", "a=1&a=1", "a=1;b=2", "%zz=1", "=&", "a&b&&c=",
		"client_id=%00", "client_secret=\xff", "%67rant_type=x&grant_type=y",
	} {
		f.Add(body)
	}
	d := &dialect{decoder: &wire.Decoder{MaxBytes: 4 << 10}}
	f.Fuzz(func(t *testing.T, body string) {
		r := httptest.NewRequest(http.MethodPost, "/oauth2/token", strings.NewReader(body))
		r.Header.Set("Content-Type", wire.MediaForm)
		form, err := d.form(httptest.NewRecorder(), r)
		if err != nil {
			if !errors.As(err, new(*wire.Error)) {
				t.Fatalf("%q: %v does not blame the caller", body, err)
			}
			return
		}
		if len(body) > 4<<10 {
			t.Fatalf("took %d bytes", len(body))
		}
		want, ok := readForm(body)
		if !ok || len(want) != len(form) {
			t.Fatalf("%q gives %q, and by hand %q, %t", body, form, want, ok)
		}
		for name, value := range want {
			if got := form[name]; len(got) != 1 || got[0] != value {
				t.Fatalf("%q gives %q for %q, and by hand %q", body, got, name, value)
			}
		}
		if again, err := url.ParseQuery(form.Encode()); err != nil || !reflect.DeepEqual(again, form) {
			t.Fatalf("%q gives %q, which comes back as %q", body, form, again)
		}
	})
}

// readForm reads form parameters by the letter of the URL standard, but for what
// we refuse: a semicolon, an escape that is none, and a name that comes twice.
func readForm(body string) (map[string]string, bool) {
	form := map[string]string{}
	for pair := range strings.SplitSeq(body, "&") {
		if pair == "" {
			continue
		}
		if strings.Contains(pair, ";") {
			return nil, false
		}
		name, value, _ := strings.Cut(pair, "=")
		name, nameOK := unescape(name)
		value, valueOK := unescape(value)
		if _, twice := form[name]; twice || !nameOK || !valueOK {
			return nil, false
		}
		form[name] = value
	}
	return form, true
}

func unescape(s string) (string, bool) {
	var b []byte
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '+':
			b = append(b, ' ')
		case c == '%':
			if len(s) < i+3 {
				return "", false
			}
			high, low := strings.IndexByte(digits, s[i+1]|0x20), strings.IndexByte(digits, s[i+2]|0x20)
			if high < 0 || low < 0 || s[i+1] < '0' || s[i+2] < '0' {
				return "", false
			}
			b = append(b, byte(high<<4|low))
			i += 2
		default:
			b = append(b, c)
		}
	}
	return string(b), true
}

const digits = "0123456789abcdef"

// FuzzClient: an Authorization header of any text gives credentials that make such
// a header again, and whatever credentials there are come through one.
func FuzzClient(f *testing.F) {
	for _, seed := range []string{"globex:the long secret", "a%3Ab:c%2Bd+e", ":", "no colon", "%zz:x", "\xff:\x00", "a:b:c"} {
		f.Add("Basic "+base64.StdEncoding.EncodeToString([]byte(seed)), "globex", "the long secret of globex: 100%+\x00\xff")
		f.Add("basic "+seed, seed, seed)
	}
	f.Add("Bearer x", "", "")
	f.Add("", "é", "ü")
	f.Fuzz(func(t *testing.T, header, id, secret string) {
		ask := func(value string) (string, string, error) {
			r := httptest.NewRequest(http.MethodPost, "/oauth2/token", nil)
			r.Header["Authorization"] = []string{value}
			return client(r, url.Values{})
		}
		if gotID, gotSecret, err := ask(header); err == nil {
			if i, s, err := ask(basic(gotID, gotSecret)); err != nil || i != gotID || s != gotSecret {
				t.Fatalf("%q gives %q and %q, which come back as %q and %q, %v", header, gotID, gotSecret, i, s, err)
			}
			if scheme, _, _ := strings.Cut(header, " "); !strings.EqualFold(scheme, "Basic") {
				t.Fatalf("%q is taken", header)
			}
		} else if !errors.As(err, new(*wire.Error)) {
			t.Fatalf("%q: %v does not blame the caller", header, err)
		}
		if i, s, err := ask(basic(id, secret)); err != nil || i != id || s != secret {
			t.Fatalf("%q and %q come through as %q and %q, %v", id, secret, i, s, err)
		}
		r := httptest.NewRequest(http.MethodPost, "/oauth2/token", nil)
		r.Header["Authorization"] = []string{basic(id, secret)}
		if _, _, err := client(r, url.Values{"client_secret": {secret}}); err == nil {
			t.Fatal("credentials are taken that are in two places")
		}
	})
}

// basic is the header of RFC 6749, section 2.3.1.
func basic(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id)+":"+url.QueryEscape(secret)))
}

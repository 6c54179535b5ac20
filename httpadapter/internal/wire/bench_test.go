package wire

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
)

const benchBody = `{"firstName":"Ann","lastName":"Lee","userName":"ann@example.com","password":"correct horse battery",` +
	`"temporaryPassword":false,"email":"ann@example.com","roles":["support","read-only"],"tenants":["any"]}`

type benchUser struct {
	FirstName         string             `json:"firstName" wire:"required"`
	LastName          string             `json:"lastName" wire:"required"`
	UserName          string             `json:"userName" wire:"required"`
	Password          Optional[string]   `json:"password"`
	TemporaryPassword bool               `json:"temporaryPassword"`
	Email             *string            `json:"email"`
	Roles             Optional[[]string] `json:"roles"`
	Tenants           []string           `json:"tenants"`
}

func BenchmarkUnmarshal(b *testing.B) {
	body := []byte(benchBody)
	b.Run("wire", func(b *testing.B) {
		d := &Decoder{}
		b.ReportAllocs()
		for b.Loop() {
			var u benchUser
			if err := d.Unmarshal(body, &u); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding/json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var u benchUser
			if err := json.Unmarshal(body, &u); err != nil {
				b.Fatal(err)
			}
		}
	})
}

type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) WriteHeader(int)             {}

func BenchmarkRouter(b *testing.B) {
	rt, err := NewRouter(Options{}, Mount{Prefixes: []string{"/auth"}, Errors: Problem{}, Routes: []Route{{
		Method: "GET", Pattern: "/auth/users/{locator}/permissions", Name: "x", Policy: open(), Handler: nothing,
	}}})
	if err != nil {
		b.Fatal(err)
	}
	r := httptest.NewRequest("GET", "/auth/users/0192f0c1-7a5e-7c3b-9d1e-3f5a6b7c8d9e/permissions", nil)
	b.ReportAllocs()
	for b.Loop() {
		rt.ServeHTTP(discard{http.Header{}}, r)
	}
}

package faulttest

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/store"
)

// TestNamesCollide: spellings of one name are one user's, in every store, and
// those of two names are two users'. How text is compared is not the store's own.
func TestNamesCollide(t *testing.T) {
	t.Parallel()
	usernames := [][]string{
		{"mike", "MIKE", "Mike", "ｍｉｋｅ"},
		{"mİke", "mi\u0307ke"},
		{"mıke"},
		{"mіke"}, // Cyrillic і
		{"Kate", "KATE", "\u212aate"},
		{"каte"}, // Cyrillic ка
		{"strasse", "STRASSE"},
		{"straße", "STRAẞE"},
		{"jose"},
		{"josé", "jose\u0301", "JOSÉ", "JOSE\u0301"},
		{"sam"},
		{"müller", "MU\u0308LLER"},
		{"mueller"},
		{"\u00e5", "\u212b", "a\u030a"},
		{"ω", "\u2126", "Ω"},
		{"ο"}, {"o"}, {"о"}, // Greek, Latin, Cyrillic
		{"a.b"}, {"ab"}, {"a+b"}, {"a_b"}, {"a%b"},
		{"a@exämple.com", "a@xn--exmple-cua.com", "A@EXA\u0308MPLE.COM"},
		{"a@strasse.de"},
		{"a@straße.de", "a@xn--strae-oqa.de"},
	}
	emails := [][]string{
		{"ada@example.com", "ADA@EXAMPLE.COM", "Ada@Example.com"},
		{"ada+list@example.com"},
		{"a.da@example.com"},
		{"mike@example.com", "MIKE@example.com"},
		{"mıke@example.com"},
		{"jürgen@example.com", "JÜRGEN@example.com", "ju\u0308rgen@example.com"},
		{"jurgen@example.com"},
		{"ada@bücher.example", "ada@BÜCHER.example", "ada@xn--bcher-kva.example", "ada@XN--BCHER-KVA.example"},
		{"ada@bucher.example"},
		{"straße@example.com", "STRAẞE@example.com"},
		{"strasse@example.com", "STRASSE@example.com"},
		{"ada@straße.de", "ada@xn--strae-oqa.de"},
		{"ada@strasse.de"},
		{"ada@exаmple.com"}, // Cyrillic а
	}
	// Mail for these may reach someone else than whom they would fold into.
	refused := []string{"\u212aate@example.com", "mİke@example.com", "\u017fam@example.com", "ａda@example.com"}
	for kind, open := range openers {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			m := managers(t, open(t))[0]
			users := 0
			collide := func(groups [][]string, field string, record func(string) usermgmt.NewUser, find func(string) (usermgmt.User, error), rename func(string) usermgmt.UserUpdate) {
				t.Helper()
				for _, group := range groups {
					first := record(group[0])
					made, err := m.CreateUser(t.Context(), first)
					require.NoError(t, err, "%q is nobody's yet", group[0])
					for _, spelling := range group {
						_, err := m.CreateUser(t.Context(), record(spelling))
						require.Equal(t, &store.ExistsError{Field: field}, err, "%q and %q", group[0], spelling)
						u, err := find(spelling)
						require.NoError(t, err, spelling)
						require.Equal(t, made.ID, u.ID, "%q finds whom %q is", spelling, group[0])
						other, err := m.CreateUser(t.Context(), usermgmt.NewUser{Username: fmt.Sprintf("other-%d", users)})
						require.NoError(t, err)
						users++
						_, err = m.UpdateUser(t.Context(), other.ID, rename(spelling))
						require.Equal(t, &store.ExistsError{Field: field}, err, "%q becomes another's", spelling)
						_, err = m.UpdateUser(t.Context(), made.ID, rename(spelling))
						require.NoError(t, err, "%q may be his own", spelling)
					}
				}
			}
			collide(usernames, "UsernameKey",
				func(s string) usermgmt.NewUser { return usermgmt.NewUser{Username: s} },
				func(s string) (usermgmt.User, error) { return m.UserByUsername(t.Context(), s) },
				func(s string) usermgmt.UserUpdate { return usermgmt.UserUpdate{Username: &s} })
			collide(emails, "EmailKey",
				func(s string) usermgmt.NewUser {
					users++
					return usermgmt.NewUser{Username: fmt.Sprintf("user-%d", users), Email: s}
				},
				func(s string) (usermgmt.User, error) { return m.UserByEmail(t.Context(), s) },
				func(s string) usermgmt.UserUpdate { return usermgmt.UserUpdate{Email: &s} })
			for _, s := range refused {
				_, err := m.CreateUser(t.Context(), usermgmt.NewUser{Username: "refused", Email: s})
				require.ErrorIs(t, err, usermgmt.ErrInvalid, s)
			}
		})
	}
}

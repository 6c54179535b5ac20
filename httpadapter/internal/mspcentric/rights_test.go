package mspcentric

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
)

// answer is all that a caller can tell answers apart by.
type answer struct {
	status int
	header http.Header
	body   string
}

func (w *world) answer(t testing.TB, client, method, path string, c call) answer {
	t.Helper()
	rec := w.Serve(w.request(t, client, method, path, c))
	header := rec.Header().Clone()
	header.Del("X-Request-Id")
	return answer{rec.Code, header, rec.Body.String()}
}

// TestForeign: what is another's answers exactly as what is not there, and
// nothing is written.
func TestForeign(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		_, nina := w.member(t, "nina@initech.example")
		_, ada := w.member(t, "ada@acme.example")
		add := func(email, id string) call {
			data := call{"email": email}
			if id != "" {
				data["vendorOrganizationId"] = id
			}
			return call{"data": data}
		}
		drop := func(holder string, data call) call {
			c := call{"organizationOemToken": w.tokens[holder]}
			if data != nil {
				c["data"] = data
			}
			return c
		}
		unknown := "umo_" + strings.Repeat("A", 43)
		for _, tt := range []struct {
			name, method, path string
			status             int
			calls              []call // the first is of what is not there
		}{
			{"organization", "POST", users, 404, []call{
				add("jim@new.example", "nope"),
				add("jim@new.example", "9"),                            // initech's
				add("jim@new.example", string(nina[0].OrganizationID)), // initech's, by our id
				add("jim@new.example", string(ada[0].OrganizationID)),  // his own, by our id
				add("jim@acme.example", "nope"),                        // never a fall-back to the domain
				add("jim@new.example", ""),
				add("jim@only.example", ""),      // initech's domain
				add("jim@partner.example", ""),   // an organization with an id
				add("jim@mail.acme.example", ""), // a domain below
				add("jim@evil-acme.example", ""),
				add("jim@example", ""),
				add("jim@gmail.com", ""),
			}},
			{"token to delete by", "DELETE", users, 403, []call{
				{"organizationOemToken": unknown}, drop("nina", nil), drop("tom", nil), drop("ian", nil), drop("rex", nil),
				{"organizationOemToken": "x"}, {"organizationOemToken": ""}, {"organizationOemToken": w.tokens["max"][:40]},
				{"organizationOemToken": w.tokens["max"] + "A"}, {"organizationOemToken": strings.ToLower(w.tokens["max"])},
				drop("tom", call{"email": "max@partner.example"}), drop("rex", call{"vendorUserId": "2"}),
			}},
			{"token to sign in by", "POST", sessions, 403, []call{
				{"organizationOemToken": unknown}, drop("nina", nil), drop("tom", nil), drop("rex", nil), {"organizationOemToken": ""},
			}},
			{"member", "DELETE", users, 404, []call{
				drop("pia", call{"email": "nobody@partner.example"}),
				drop("pia", call{"email": "rex@partner.example"}),   // was one
				drop("pia", call{"email": "bob@acme.example"}),      // of another organization of the vendor's
				drop("pia", call{"email": "tom@initech.example"}),   // of another vendor's
				drop("pia", call{"email": "eve@elsewhere.example"}), // of none
				drop("pia", call{"vendorUserId": "4"}),              // bob's
				drop("pia", call{"vendorUserId": "9"}),              // nina's
				drop("pia", call{"vendorUserId": string(nina[0].UserID)}),
				drop("pia", call{"email": "tom@initech.example", "vendorUserId": "2"}),
			}},
			{"client", "POST", users, 401, []call{
				{"clientId": "nobody", "data": call{"email": "jim@acme.example"}},
				{"clientId": "", "data": call{"email": "jim@acme.example"}},
				{"clientId": strings.Repeat("c", 16<<10), "data": call{"email": "jim@acme.example"}},
				{"clientSecret": "", "data": call{"email": "jim@acme.example"}},
				{"clientSecret": "wrong secret", "data": call{"email": "jim@acme.example"}},
				{"clientSecret": "your-client-secre", "data": call{"email": "jim@acme.example"}},
				{"clientSecret": "your-client-secret ", "data": call{"email": "jim@acme.example"}},
				{"clientSecret": "Your-client-secret", "data": call{"email": "jim@acme.example"}},
				{"clientId": "Your-Client-Id", "data": call{"email": "jim@acme.example"}},
				{"clientId": string(w.vendors[partner]), "data": call{"email": "jim@acme.example"}},
				{"clientId": initech, "data": call{"email": "jim@acme.example"}},
				{"clientId": gone, "clientSecret": secrets[gone], "data": call{"email": "jim@acme.example"}},
				{"clientSecret": "wrong secret", "scope": "everything", "data": call{"email": "jim@acme.example"}},
				{"clientSecret": "wrong secret", "data": call{"email": "max@partner.example", "vendorOrganizationId": "1234"}},
			}},
			{"account", "POST", users, 409, []call{
				add("max@partner.example", "1234"),    // a member
				add("victim@partner.example", "1234"), // Mallory says that it is his
			}},
		} {
			w.unchanged(t, func() {
				want := w.answer(t, partner, tt.method, tt.path, tt.calls[0])
				require.Equal(t, tt.status, want.status, "%s: %s", tt.name, want.body)
				for _, c := range tt.calls[1:] {
					require.Equal(t, want, w.answer(t, partner, tt.method, tt.path, c), "%s: %v", tt.name, c)
				}
			})
		}
	})
}

// TestTakenUsername: an account may have the address for a username and no
// address at all. Nothing is told of it but what a member's would tell.
func TestTakenUsername(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		_, err := w.CreateUser(t.Context(), usermgmt.NewUser{Username: "jim@partner.example", FirstName: "Jim", LastName: "Secret"})
		require.NoError(t, err)
		member := w.answer(t, partner, "POST", users, call{"data": call{"email": "max@partner.example", "vendorOrganizationId": "1234"}})
		require.Equal(t, member, w.answer(t, partner, "POST", users, call{"data": call{"email": "jim@partner.example", "vendorOrganizationId": "1234"}}))
	})
}

// TestVendorsNeverCollide: two vendors go through the same steps with the same
// names, and neither notices the other.
func TestVendorsNeverCollide(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		byClient := map[string][]string{}
		for _, client := range []string{partner, initech} {
			tokens := []string{
				w.token(t, client, organizations, call{"name": "Big", "email": "john@big.example", "vendorUserId": "1", "vendorOrganizationId": "big"}),
				w.token(t, client, users, call{"email": "jane@big.example", "vendorUserId": "2", "vendorOrganizationId": "big"}),
				w.token(t, client, organizations, call{"name": "Big", "email": "john@big.example"}),
				w.token(t, client, users, call{"email": "jane@big.example"}),
			}
			for _, taken := range []call{{"vendorOrganizationId": "big"}, {}} {
				taken["name"], taken["email"] = "Big", "joe@big.example"
				status, body := w.do(t, client, "POST", organizations, call{"data": taken})
				require.Equal(t, 409, status, body)
			}
			byClient[client] = tokens
		}
		_, ms := w.member(t, "jane@big.example")
		require.Len(t, ms, 4)
		for i := range byClient[partner] {
			require.Equal(t, 403, w.remove(t, initech, byClient[partner][i]))
			require.Equal(t, 403, w.remove(t, partner, byClient[initech][i]))
		}
		for _, client := range []string{partner, initech} {
			for _, i := range []int{1, 3, 0, 2} { // members before their owners
				require.Equal(t, 201, w.remove(t, client, byClient[client][i]), "%s %d", client, i)
			}
		}
	})
}

// TestVendorUserIDs: whatever a vendor calls a new user, be it our own id of
// somebody or what another vendor calls his, the new one is a new one, and the
// name finds nobody else.
func TestVendorUserIDs(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		type person struct {
			user        usermgmt.User
			memberships []usermgmt.Membership
		}
		others := func() map[string]person {
			all := map[string]person{}
			for _, name := range []string{
				"eve@elsewhere.example", "max@partner.example", "pia@partner.example", "bob@acme.example", "nina@initech.example", "tom@initech.example",
			} {
				u, ms := w.member(t, name)
				all[name] = person{u, ms}
			}
			return all
		}
		before := others()
		idOf := func(name string) string { return string(before[name].user.ID) }
		for name, id := range map[string]string{
			"of no organization": idOf("eve@elsewhere.example"), "a member": idOf("max@partner.example"), "the owner": idOf("pia@partner.example"),
			"another vendor's": idOf("nina@initech.example"), "what another vendor calls an owner": "9", "what another vendor calls a member": "5",
			"a member of another organization of the vendor's": "4", "an organization": string(before["nina@initech.example"].memberships[0].OrganizationID),
			"another vendor": string(w.vendors[initech]),
		} {
			token := w.token(t, partner, users, call{"email": "new@new.example", "vendorUserId": id, "vendorOrganizationId": "1234"})
			u, ms := w.member(t, "new@new.example")
			require.Len(t, ms, 1, name)
			require.Equal(t, id, ms[0].VendorUserID, name)
			require.Equal(t, before["pia@partner.example"].memberships[0].OrganizationID, ms[0].OrganizationID, name)
			actor, _, err := w.RedeemCode(t.Context(), w.session(t, partner, token))
			require.NoError(t, err, name)
			require.Equal(t, u.ID, actor.UserID(), name)
			require.Equal(t, before, others(), name)

			status, body := w.do(t, partner, "DELETE", users, call{"organizationOemToken": w.tokens["pia"], "data": call{"vendorUserId": id}})
			require.Equal(t, 201, status, "%s: %s", name, body)
			_, err = w.UserByUsername(t.Context(), "new@new.example")
			require.ErrorIs(t, err, usermgmt.ErrNotFound, name)
			require.Equal(t, before, others(), name)
		}
		w.unchanged(t, func() {
			status, body := w.do(t, partner, "POST", users, call{"data": call{"email": "new@new.example", "vendorUserId": "2", "vendorOrganizationId": "1234"}})
			require.Equal(t, 409, status, "max is called so: %s", body)
		})
	})
}

// TestSecretsRotate: two secrets work until the old one's end.
func TestSecretsRotate(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		fresh, err := w.RotateVendorSecret(t.Context(), w.vendors[partner], time.Hour)
		require.NoError(t, err)
		works := func(secret string) bool {
			status, _ := w.do(t, partner, "POST", sessions, call{"clientSecret": secret, "organizationOemToken": w.tokens["pia"]})
			return status == 201
		}
		require.True(t, works(secrets[partner]))
		require.True(t, works(fresh))
		w.now = w.now.Add(time.Hour - time.Microsecond)
		require.True(t, works(secrets[partner]))
		w.now = w.now.Add(time.Microsecond)
		require.False(t, works(secrets[partner]))
		require.True(t, works(fresh))
	})
}

// TestDisabledVendor: what a vendor holds ends when he is disabled, the codes
// that he asked for included.
func TestDisabledVendor(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		code := w.session(t, partner, w.tokens["pia"])
		disabled := true
		_, err := w.UpdateVendor(t.Context(), w.vendors[partner], usermgmt.VendorUpdate{Disabled: &disabled})
		require.NoError(t, err)
		status, body := w.do(t, partner, "POST", sessions, call{"organizationOemToken": w.tokens["pia"]})
		require.Equal(t, 401, status, body)
		_, _, err = w.RedeemCode(t.Context(), code)
		require.ErrorIs(t, err, usermgmt.ErrUnauthenticated)
	})
}

// TestDisabledOwner: an organization without an active owner takes nobody in.
func TestDisabledOwner(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		sol, _ := w.member(t, "sol@solo.example")
		disabled := true
		_, err := w.UpdateUser(t.Context(), sol.ID, usermgmt.UserUpdate{Disabled: &disabled})
		require.NoError(t, err)
		w.unchanged(t, func() {
			status, body := w.do(t, partner, "POST", users, call{"data": call{"email": "sally@solo.example"}})
			require.Equal(t, 409, status)
			require.JSONEq(t, `{"status": 409, "message": "the organization has no active owner"}`, body)
			status, _ = w.do(t, partner, "POST", sessions, call{"organizationOemToken": w.tokens["sol"]})
			require.Equal(t, 403, status, "a disabled user's token is none")
		})
	})
}

// TestRaces: of any number of callers who ask for the same, one gets it.
func TestRaces(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for _, tt := range []struct {
			name, method, path string
			call               call
			refusal            int
		}{
			{"organization by id", "POST", organizations, call{"data": call{"name": "N", "email": "n@new.example", "vendorOrganizationId": "n"}}, 409},
			{"organization by domain", "POST", organizations, call{"data": call{"name": "N", "email": "n@new.example"}}, 409},
			{"user", "POST", users, call{"data": call{"email": "jim@new.example"}}, 409},
			{"removal", "DELETE", users, call{"organizationOemToken": w.tokens["max"]}, 403},
		} {
			const racers = 16
			requests := make([]*http.Request, racers)
			for i := range requests {
				requests[i] = w.request(t, partner, tt.method, tt.path, tt.call)
			}
			statuses := make([]int, racers)
			var wait sync.WaitGroup
			for i := range racers {
				wait.Go(func() { statuses[i] = w.Serve(requests[i]).Code })
			}
			wait.Wait()
			won := 0
			for _, status := range statuses {
				if status == 201 {
					won++
					continue
				}
				require.Equal(t, tt.refusal, status, tt.name)
			}
			require.Equal(t, 1, won, tt.name)
		}
	})
}

// TestUnitsOfWork: a request reads once to know the vendor, and writes once. What
// fails reads once more, and counts.
func TestUnitsOfWork(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for _, tt := range []struct {
			method, path string
			call         call
			status       int
			views        int
			updates      int
		}{
			{"POST", organizations, call{"data": call{"name": "N", "email": "n@new.example"}}, 201, 1, 1},
			{"POST", users, call{"data": call{"email": "jim@acme.example"}}, 201, 1, 1},
			{"POST", sessions, call{"organizationOemToken": w.tokens["max"]}, 201, 1, 1},
			{"DELETE", users, call{"organizationOemToken": w.tokens["pia"], "data": call{"email": "max@partner.example", "vendorUserId": "2"}}, 201, 1, 1},
			{"DELETE", users, call{"clientSecret": "wrong secret", "organizationOemToken": w.tokens["pia"]}, 401, 2, 1},
		} {
			w.store.Reset()
			status, body := w.do(t, partner, tt.method, tt.path, tt.call)
			require.Equal(t, tt.status, status, body)
			require.Equal(t, tt.views, w.store.Views(), "%s %s", tt.method, tt.path)
			require.Equal(t, tt.updates, w.store.Updates(), "%s %s", tt.method, tt.path)
		}
		w.store.Reset()
		status, _ := w.do(t, partner, "DELETE", users, call{"grantType": "password", "organizationOemToken": w.tokens["pia"]})
		require.Equal(t, 400, status)
		require.Zero(t, w.store.Views(), "the secret is not looked at for another grant")
	})
}

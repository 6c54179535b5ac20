package usermgmt_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/memstore"
)

func TestPasswordPolicy(t *testing.T) {
	t.Parallel()
	type policy = usermgmt.PasswordPolicy
	for _, tt := range []struct {
		name     string
		policy   policy
		password string
		good     bool
	}{
		{"contract's own example", policy{}, "fsdf6556", true},
		{"spaces at the ends", policy{}, "  violet  ", true},
		{"eight characters", policy{}, "vióletö7", true},
		{"seven characters of more bytes", policy{}, "viólètö", false},
		{"longest", policy{}, strings.Repeat("ab", 512), true},
		{"a byte longer", policy{}, strings.Repeat("ab", 512) + "c", false},
		{"longest of the host's", policy{MaxBytes: 4096}, strings.Repeat("ab", 2048), true},
		{"U+0000", policy{}, "violet\x00cradle", false},
		{"no UTF-8", policy{}, "violet\xffcradle", false},
		{"shorter by the host's will", policy{MinLength: 6}, "vio7et", true},
		{"still shorter", policy{MinLength: 6}, "vio7e", false},
		{"too short for the host", policy{MinLength: 15}, "violet cradle", false},
		{"common", policy{}, "password1", false},
		{"common in upper case", policy{}, "PassWord1", false},
		{"common and short", policy{MinLength: 6}, "123456", false},
		{"one character repeated", policy{}, "ßßßßßßßßß", false},
		{"common, allowed", policy{AllowCommon: true}, "password1", true},
		{"the username", policy{}, "Ada.Lovelace", false},
		{"the username in another case", policy{}, "aDA.lOVELACE", false},
		{"the e-mail", policy{}, "countess@analytical.example", false},
		{"the e-mail's name", policy{}, "COUNTESS", false},
		{"the e-mail's domain", policy{}, "analytical.example", false},
		{"the username without its dot", policy{}, "AdaLovelace", false},
		{"the e-mail's domain with blanks", policy{}, "- analytical example -", false},
		{"the username and more", policy{}, "ada.lovelace 1815", true},
		{"digits", policy{MinDigits: 2}, "violet 7 cradle", false},
		{"enough digits", policy{MinDigits: 2}, "violet 77", true},
		{"lower", policy{MinLower: 1}, "VIOLET CRADLE", false},
		{"enough lower", policy{MinLower: 1}, "VIOLET CRADLé", true},
		{"upper", policy{MinUpper: 1}, "violet cradle", false},
		{"enough upper", policy{MinUpper: 1}, "Éviolet cradle", true},
		{"special: white space is none", policy{MinSpecial: 1}, "violet cradle", false},
		{"enough special", policy{MinSpecial: 1}, "violet-cradle", true},
		{"forbidden", policy{Forbidden: func(p string) bool { return strings.Contains(p, "cradle") }}, passphrase, false},
		{"not forbidden", policy{Forbidden: func(p string) bool { return false }}, passphrase, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, func(o *usermgmt.Options) { o.PasswordPolicy = tt.policy })
			u, err := d.CreateUser(t.Context(), usermgmt.NewUser{Username: "Ada.Lovelace", Email: "countess@analytical.example"})
			require.NoError(t, err)
			err = d.SetPassword(t.Context(), u.ID, tt.password)
			_, cerr := d.CreateUser(t.Context(), usermgmt.NewUser{
				Username: "ADA.LOVELACE", Email: "Countess@analytical.example", Password: tt.password})
			if tt.good {
				require.NoError(t, err)
				require.ErrorIs(t, cerr, usermgmt.ErrExists)
				require.Equal(t, u.ID, d.signIn(t, "ada.lovelace", tt.password).UserID, "exactly as given")
				return
			}
			for _, err := range []error{err, cerr} {
				var fault *usermgmt.InvalidError
				require.True(t, errors.As(err, &fault), "%v", err)
				require.Equal(t, "password", fault.Field)
				require.NotContains(t, err.Error(), tt.password)
			}
			status, err := d.PasswordStatus(t.Context(), u.ID)
			require.NoError(t, err)
			require.False(t, status.Set)
		})
	}
}

// TestPasswordIsNoOrganizationsName: what the user's organizations are called is
// the first that a stranger who knows where he works would try.
func TestPasswordIsNoOrganizationsName(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx := t.Context()
	ada := d.person(t, "ada")
	slug := "analytical-engines-42"
	company := func(name, slug string) usermgmt.OrganizationID {
		o, err := d.CreateOrganization(ctx, usermgmt.NewOrganization{Name: name, Slug: slug})
		require.NoError(t, err)
		return o.ID
	}
	own := company("Babbage & Sons Ltd.", slug)
	company("Jacquard Looms", "")
	tokens := d.signIn(t, "ada", passphrase)
	refused := func(password string) {
		t.Helper()
		m := d.authenticated(t, tokens)
		_, cerr := m.ChangePassword(ctx, passphrase, password)
		_, uerr := d.UpdateUser(ctx, ada.ID, usermgmt.UserUpdate{Password: &password})
		aerr := d.Apply(ctx, usermgmt.Snapshot{Users: []usermgmt.SnapshotUser{{Username: "ada", Password: password}}})
		for way, err := range map[string]error{
			"set": d.SetPassword(ctx, ada.ID, password), "reset": d.ResetPassword(ctx, ada.ID, password),
			"change": cerr, "update": uerr, "apply": aerr,
		} {
			var fault *usermgmt.InvalidError
			require.ErrorAs(t, err, &fault, "%s: %s", way, password)
			require.Contains(t, fault.Field, "password", way)
			require.NotContains(t, err.Error(), password)
		}
	}
	require.NoError(t, d.SetPassword(ctx, ada.ID, slug), "she is no member yet")
	require.NoError(t, d.SetPassword(ctx, ada.ID, passphrase))
	tokens = d.signIn(t, "ada", passphrase)
	_, err := d.AddMember(ctx, own, usermgmt.NewMember{User: ada.ID})
	require.NoError(t, err)
	for _, password := range []string{"Babbage & Sons Ltd.", "babbage & sons ltd.", "BabbageSonsLtd", slug, "Analytical Engines 42"} {
		refused(password)
	}
	require.Equal(t, ada.ID, d.signIn(t, "ada", passphrase).UserID, "nothing was replaced")
	for _, password := range []string{"Babbage & Sons Ltd. 1822", "Jacquard Looms"} {
		require.NoError(t, d.SetPassword(ctx, ada.ID, password), "more than the name, or another's")
	}

	// The first 24 count, by their ids.
	require.NoError(t, d.SetPassword(ctx, ada.ID, passphrase))
	tokens = d.signIn(t, "ada", passphrase)
	for i := range 30 {
		o, err := d.CreateOrganization(ctx, usermgmt.NewOrganization{
			ID: usermgmt.OrganizationID(fmt.Sprintf("!%02d", i)), Name: fmt.Sprintf("Difference Engine %02d", i)})
		require.NoError(t, err)
		_, err = d.AddMember(ctx, o.ID, usermgmt.NewMember{User: ada.ID})
		require.NoError(t, err)
	}
	refused("difference engine 00")
	refused("difference engine 23")
	book := newReadBook(d.store)
	require.NoError(t, d.With(book).SetPassword(ctx, ada.ID, "difference engine 24"))
	calls, records := book.take()
	require.Equal(t, 1, calls["OrganizationsByID"], "in one read")
	require.Equal(t, 24, records)
}

func TestPasswordPolicyThatMakesNoSense(t *testing.T) {
	t.Parallel()
	key, err := usermgmt.GenerateSigningKey(nil)
	require.NoError(t, err)
	for name, p := range map[string]usermgmt.PasswordPolicy{
		"negative length":   {MinLength: -1},
		"negative bytes":    {MaxBytes: -1},
		"few bytes":         {MaxBytes: 255},
		"many bytes":        {MaxBytes: 4097},
		"length over bytes": {MinLength: 257},
		"negative digits":   {MinDigits: -1},
		"digits over bytes": {MinDigits: 300},
		"negative lower":    {MinLower: -1},
		"negative upper":    {MinUpper: -1},
		"negative specials": {MinSpecial: -1},
	} {
		_, err := usermgmt.New(memstore.New(), usermgmt.Options{
			SigningKeys: []usermgmt.SigningKey{key}, PasswordHash: cheapHash, PasswordPolicy: p})
		require.ErrorIs(t, err, usermgmt.ErrInvalid, name)
	}
	_, err = usermgmt.New(memstore.New(), usermgmt.Options{
		SigningKeys: []usermgmt.SigningKey{key}, PasswordHash: usermgmt.PasswordHash{MemoryKiB: 1}})
	require.ErrorContains(t, err, "PasswordHash")
}

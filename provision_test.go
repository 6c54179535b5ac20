package usermgmt_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
)

// partner is a vendor at work.
type partner struct {
	*office
	m *usermgmt.Manager
}

func (o *office) partner(clientID string) partner {
	o.t.Helper()
	return partner{o, o.m.As(usermgmt.VendorActor(o.vendor(clientID)))}
}

// opens provisions an organization.
func (p partner) opens(u usermgmt.VendorUser) usermgmt.Provisioned {
	p.t.Helper()
	made, err := p.m.ProvisionOrganization(p.t.Context(), "Company of "+u.Email, u)
	require.NoError(p.t, err)
	return made
}

// hires provisions a user.
func (p partner) hires(u usermgmt.VendorUser) usermgmt.Provisioned {
	p.t.Helper()
	made, err := p.m.ProvisionUser(p.t.Context(), u)
	require.NoError(p.t, err)
	return made
}

func TestProvisionOrganization(t *testing.T) {
	t.Parallel()

	t.Run("with its first user as owner", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		globex := o.partner("globex")
		made := globex.opens(usermgmt.VendorUser{Email: "Ada@Acme.example", FirstName: "Ada", LastName: "L", VendorUserID: "5678", VendorOrganizationID: "1234"})
		require.Equal(t, usermgmt.VendorID("globex"), made.Organization.VendorID)
		require.Equal(t, "1234", made.Organization.VendorOrganizationID)
		require.Equal(t, "acme.example", made.Organization.Domain)
		require.Empty(t, made.Organization.MatchDomain)
		require.Equal(t, usermgmt.RoleOwner, made.Membership.Role)
		require.Equal(t, "5678", made.Membership.VendorUserID)
		u, err := o.m.User(t.Context(), made.Membership.UserID)
		require.NoError(t, err)
		require.Equal(t, "ada@acme.example", u.UsernameKey)
		require.Equal(t, usermgmt.VendorID("globex"), u.CreatedByVendor)
		require.Equal(t, "vendor:globex", u.CreatedBy)
		id, org := string(u.ID), string(made.Organization.ID)
		require.Equal(t, []string{
			"vendor:globex organization.created organization:" + org + " " + org,
			"vendor:globex user.created user:" + id + " ",
			"vendor:globex member.added user:" + id + " " + org,
			"vendor:globex token.created user:" + id + " " + org,
		}, o.log()[1:])
	})

	t.Run("is for vendors", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		o.person("root", realmAdmin)
		for _, m := range []*usermgmt.Manager{o.m, o.as("root"), o.m.As(usermgmt.Actor{})} {
			_, err := m.ProvisionOrganization(t.Context(), "A", usermgmt.VendorUser{Email: "a@acme.example", VendorOrganizationID: "1"})
			require.ErrorIs(t, err, usermgmt.ErrForbidden)
			_, err = m.ProvisionUser(t.Context(), usermgmt.VendorUser{Email: "a@acme.example"})
			require.ErrorIs(t, err, usermgmt.ErrForbidden)
		}
	})

	t.Run("once per id, once per domain without one, and vendors never collide", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		for _, client := range []string{"globex", "initech"} {
			p := o.partner(client)
			p.opens(usermgmt.VendorUser{Email: "ada@acme.example", VendorOrganizationID: "1"})
			p.opens(usermgmt.VendorUser{Email: "ada@acme.example", VendorOrganizationID: "2"})
			p.opens(usermgmt.VendorUser{Email: "ada@acme.example"})
			o.writesNothing(func() {
				_, err := p.m.ProvisionOrganization(t.Context(), "A", usermgmt.VendorUser{Email: "bob@other.example", VendorOrganizationID: "1"})
				require.Equal(t, "exists VendorOrganizationID", field(t, err))
				_, err = p.m.ProvisionOrganization(t.Context(), "A", usermgmt.VendorUser{Email: "bob@ACME.example"})
				require.Equal(t, "exists MatchDomain", field(t, err))
			})
		}
	})

	t.Run("public mail domains never match", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		p := o.partner("globex")
		for _, name := range []string{"a", "b"} {
			made := p.opens(usermgmt.VendorUser{Email: name + "@gmail.com"})
			require.Empty(t, made.Organization.MatchDomain)
			require.Empty(t, made.Organization.Domain)
		}
		_, err := p.m.ProvisionUser(t.Context(), usermgmt.VendorUser{Email: "c@gmail.com"})
		require.ErrorIs(t, err, usermgmt.ErrNoOrganization)
	})

	t.Run("malformed requests", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		p := o.partner("globex")
		for want, u := range map[string]usermgmt.VendorUser{
			"invalid email":                {Email: "no address"},
			"invalid vendorUserId":         {Email: "a@acme.example", VendorUserID: "\n"},
			"invalid vendorOrganizationId": {Email: "a@acme.example", VendorOrganizationID: "\n"},
			"invalid firstName":            {Email: "a@acme.example", FirstName: "\n"},
		} {
			_, err := p.m.ProvisionOrganization(t.Context(), "A", u)
			require.Equal(t, want, field(t, err))
			_, err = p.m.ProvisionUser(t.Context(), u)
			require.Equal(t, want, field(t, err))
		}
		_, err := p.m.ProvisionOrganization(t.Context(), "", usermgmt.VendorUser{Email: "a@acme.example"})
		require.Equal(t, "invalid name", field(t, err))
	})
}

func TestProvisionUser(t *testing.T) {
	t.Parallel()

	t.Run("routes by id or by domain, never from one to the other", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		globex, initech := o.partner("globex"), o.partner("initech")
		byID := globex.opens(usermgmt.VendorUser{Email: "a@acme.example", VendorOrganizationID: "1"}).Organization.ID
		byDomain := globex.opens(usermgmt.VendorUser{Email: "a@acme.example"}).Organization.ID
		initech.opens(usermgmt.VendorUser{Email: "a@only.example", VendorOrganizationID: "9"})
		globex.opens(usermgmt.VendorUser{Email: "a@known.example", VendorOrganizationID: "2"})
		for i, c := range []struct {
			email, id string
			want      usermgmt.OrganizationID
		}{
			{"@acme.example", "1", byID},
			{"@elsewhere.example", "1", byID},
			{"@ACME.example", "", byDomain},
			{"@acme.example", "unknown", ""},
			{"@acme.example", "9", ""},          // another vendor's id
			{"@acme.example", string(byID), ""}, // our id is none of his
			{"@only.example", "", ""},           // another vendor's domain
			{"@known.example", "", ""},          // reachable by its id alone
			{"@sub.acme.example", "", ""},
			{"@evil-acme.example", "", ""},
			{"@example", "", ""},
			{"@gmail.com", "", ""},
		} {
			made, err := globex.m.ProvisionUser(t.Context(), usermgmt.VendorUser{Email: fmt.Sprint("u", i, c.email), VendorOrganizationID: c.id})
			if c.want == "" {
				require.ErrorIs(t, err, usermgmt.ErrNoOrganization, "%+v", c)
				continue
			}
			require.NoError(t, err, "%+v", c)
			require.Equal(t, c.want, made.Organization.ID, "%+v", c)
			require.Equal(t, usermgmt.RoleMember, made.Membership.Role)
		}
	})

	t.Run("a member is told so, and gets no token", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		p := o.partner("globex")
		p.opens(usermgmt.VendorUser{Email: "ada@acme.example", VendorUserID: "1"})
		o.writesNothing(func() {
			made, err := p.m.ProvisionUser(t.Context(), usermgmt.VendorUser{Email: "ADA@acme.example"})
			require.Equal(t, "exists UserID", field(t, err))
			require.Zero(t, made)
			_, err = p.m.ProvisionUser(t.Context(), usermgmt.VendorUser{Email: "bob@acme.example", VendorUserID: "1"})
			require.Equal(t, "exists VendorUserID", field(t, err))
		})
	})

	t.Run("an existing account gains the membership and nothing of it changes or is told", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		p := o.partner("globex")
		p.opens(usermgmt.VendorUser{Email: "ada@acme.example"})
		o.person("root", realmAdmin)
		_, err := o.m.UpdateUser(t.Context(), "root", usermgmt.UserUpdate{Email: new("root@acme.example"), Password: new("correct horse battery")})
		require.NoError(t, err)
		before, err := o.m.User(t.Context(), "root")
		require.NoError(t, err)
		made := p.hires(usermgmt.VendorUser{Email: "root@acme.example", FirstName: "Mallory"})
		after, err := o.m.User(t.Context(), "root")
		require.NoError(t, err)
		require.Equal(t, before, after)
		require.Empty(t, after.CreatedByVendor)
		_, err = o.m.SignIn(t.Context(), "root", "correct horse battery")
		require.NoError(t, err)
		require.NotContains(t, fmt.Sprintf("%+v", made), "First root")
		_, err = p.m.UpdateUser(t.Context(), "root", usermgmt.UserUpdate{FirstName: new("X")})
		require.ErrorIs(t, err, usermgmt.ErrForbidden)
		require.ErrorIs(t, p.m.DeleteUser(t.Context(), "root"), usermgmt.ErrForbidden)
	})

	t.Run("the first one in an empty organization becomes its owner", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		p := o.partner("globex")
		made := p.opens(usermgmt.VendorUser{Email: "ada@acme.example"})
		require.NoError(t, p.m.DeprovisionUser(t.Context(), made.Token, usermgmt.MemberRef{}))
		require.Equal(t, usermgmt.RoleOwner, p.hires(usermgmt.VendorUser{Email: "bob@acme.example"}).Membership.Role)
		require.Equal(t, usermgmt.RoleMember, p.hires(usermgmt.VendorUser{Email: "cid@acme.example"}).Membership.Role)
	})
}

func TestOrganizationToken(t *testing.T) {
	t.Parallel()

	t.Run("is a secret that nothing prints", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		p := o.partner("globex")
		made := p.opens(usermgmt.VendorUser{Email: "ada@acme.example"})
		code, err := p.m.CreateCode(t.Context(), made.Token)
		require.NoError(t, err)
		for _, v := range []any{made, &made, code, &code} {
			text, err := json.Marshal(v)
			require.NoError(t, err)
			for _, printed := range []string{string(text), fmt.Sprintf("%v %+v %#v %s", v, v, v, v)} {
				require.NotContains(t, printed, made.Token)
				require.NotContains(t, printed, code.Code)
			}
		}
	})

	t.Run("of another vendor, spent, unknown or of another kind is refused alike", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		globex, initech := o.partner("globex"), o.partner("initech")
		foreign := initech.opens(usermgmt.VendorUser{Email: "ada@acme.example"}).Token
		globex.opens(usermgmt.VendorUser{Email: "ada@acme.example"})
		spent := globex.hires(usermgmt.VendorUser{Email: "bob@acme.example"}).Token
		require.NoError(t, globex.m.DeprovisionUser(t.Context(), spent, usermgmt.MemberRef{}))
		back := globex.hires(usermgmt.VendorUser{Email: "bob@acme.example"}).Token
		for name, token := range map[string]string{
			"foreign": foreign, "spent": spent, "unknown": "umo_" + spent[4:46] + "A", "empty": "", "prefix": back[:46], "other kind": "umk_" + back[4:],
		} {
			err := globex.m.DeprovisionUser(t.Context(), token, usermgmt.MemberRef{})
			require.Equal(t, usermgmt.ErrOrganizationToken, err, name)
			require.ErrorIs(t, err, usermgmt.ErrForbidden, name)
			_, err = globex.m.CreateCode(t.Context(), token)
			require.Equal(t, usermgmt.ErrOrganizationToken, err, name)
		}
	})

	t.Run("earlier ones stay valid, and all end with the membership", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		p := o.partner("globex")
		owner := p.opens(usermgmt.VendorUser{Email: "ada@acme.example"})
		org, ada := owner.Organization.ID, owner.Membership.UserID
		bob := p.hires(usermgmt.VendorUser{Email: "bob@acme.example"})
		member, second, err := o.as(ada).CreateOrganizationToken(t.Context(), org, bob.Membership.UserID)
		require.NoError(t, err)
		same, err := o.as(ada).Member(t.Context(), org, bob.Membership.UserID)
		require.NoError(t, err)
		require.Equal(t, same, member)
		require.NotContains(t, fmt.Sprintf("%+v", member), second)
		for _, token := range []string{bob.Token, second} {
			_, err = p.m.CreateCode(t.Context(), token)
			require.NoError(t, err)
		}
		require.NoError(t, o.as(ada).RemoveMember(t.Context(), org, bob.Membership.UserID))
		for _, token := range []string{bob.Token, second} {
			_, err = p.m.CreateCode(t.Context(), token)
			require.Equal(t, usermgmt.ErrOrganizationToken, err)
		}
		member, token, err := o.as(ada).CreateOrganizationToken(t.Context(), org, bob.Membership.UserID)
		require.Equal(t, usermgmt.ErrNotFound, err)
		require.Zero(t, member)
		require.Empty(t, token)
	})

	t.Run("only owners hand out more", func(t *testing.T) {
		t.Parallel()
		o := staff(t)
		for _, who := range []usermgmt.UserID{"admin", "writer", "unassigned"} {
			_, _, err := o.as(who).CreateOrganizationToken(t.Context(), "acme", "reader")
			require.ErrorIs(t, err, usermgmt.ErrForbidden)
		}
		_, _, err := o.as("owner").CreateOrganizationToken(t.Context(), "acme", "reader")
		require.NoError(t, err)
	})

	t.Run("a confined sign-in hands out none, be it the owner's", func(t *testing.T) {
		t.Parallel()
		o := staff(t)
		confined := usermgmt.UserActor("owner").Confined("acme")
		require.True(t, o.holds(confined, usermgmt.MembersUpdate))
		for _, whose := range []usermgmt.UserID{"reader", "owner"} {
			_, _, err := o.m.As(confined).CreateOrganizationToken(t.Context(), "acme", whose)
			require.ErrorIs(t, err, usermgmt.ErrForbidden)
		}
	})
}

func TestDeprovisionUser(t *testing.T) {
	t.Parallel()

	t.Run("ends the membership that the token names", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		p := o.partner("globex")
		owner := p.opens(usermgmt.VendorUser{Email: "ada@acme.example"})
		org := owner.Organization.ID
		bob := p.hires(usermgmt.VendorUser{Email: "bob@acme.example"})
		p.hires(usermgmt.VendorUser{Email: "cid@acme.example", VendorUserID: "c"})
		require.ErrorIs(t, p.m.DeprovisionUser(t.Context(), owner.Token, usermgmt.MemberRef{}), usermgmt.ErrLastOwner)
		require.NoError(t, p.m.DeprovisionUser(t.Context(), bob.Token, usermgmt.MemberRef{}))
		_, err := o.m.User(t.Context(), bob.Membership.UserID)
		require.ErrorIs(t, err, usermgmt.ErrNotFound, "nothing was left of an account that the vendor created")
		list, err := o.m.Members(t.Context(), org, usermgmt.MemberList{})
		require.NoError(t, err)
		require.Len(t, list.Items, 2)
	})

	t.Run("or another member of the same organization", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		p := o.partner("globex")
		owner := p.opens(usermgmt.VendorUser{Email: "ada@acme.example", VendorUserID: "a"})
		p.hires(usermgmt.VendorUser{Email: "bob@acme.example", VendorUserID: "b"})
		cid := p.hires(usermgmt.VendorUser{Email: "cid@acme.example", VendorUserID: "c"})
		p.opens(usermgmt.VendorUser{Email: "eve@other.example", VendorUserID: "e"})
		end := func(ref usermgmt.MemberRef) error { return p.m.DeprovisionUser(t.Context(), owner.Token, ref) }
		for _, ref := range []usermgmt.MemberRef{
			{Email: "nobody@acme.example"}, {VendorUserID: "none"}, {Email: "eve@other.example"}, {VendorUserID: "e"},
			{Email: "bob@acme.example", VendorUserID: "none"}, {VendorUserID: string(cid.Membership.UserID)},
		} {
			require.Equal(t, usermgmt.ErrNotFound, end(ref), "%+v", ref)
		}
		require.Equal(t, "invalid vendorUserId", field(t, end(usermgmt.MemberRef{Email: "bob@acme.example", VendorUserID: "c"})))
		require.Equal(t, "invalid email", field(t, end(usermgmt.MemberRef{Email: "no address"})))
		require.NoError(t, end(usermgmt.MemberRef{Email: "BOB@acme.example", VendorUserID: "b"}))
		require.NoError(t, end(usermgmt.MemberRef{VendorUserID: "c"}))
		require.NoError(t, end(usermgmt.MemberRef{Email: "ada@acme.example"}), "the sole member may go")
		require.Equal(t, usermgmt.ErrOrganizationToken, end(usermgmt.MemberRef{}))
	})

	t.Run("another member by rank", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		p := o.partner("globex")
		owner := p.opens(usermgmt.VendorUser{Email: "ada@acme.example"})
		bob := p.hires(usermgmt.VendorUser{Email: "bob@acme.example"})
		o.joins(owner.Organization.ID, "olga", usermgmt.RoleOwner)
		_, err := o.m.UpdateUser(t.Context(), "olga", usermgmt.UserUpdate{Email: new("olga@acme.example")})
		require.NoError(t, err)
		end := func(email string) error {
			return p.m.DeprovisionUser(t.Context(), bob.Token, usermgmt.MemberRef{Email: email})
		}
		require.ErrorIs(t, end("olga@acme.example"), usermgmt.ErrForbidden)
		require.Equal(t, usermgmt.RoleOwner, o.role(owner.Organization.ID, "olga"))
		require.NoError(t, end("ada@acme.example"), "the vendor's own account")
		require.ErrorIs(t, end("olga@acme.example"), usermgmt.ErrLastOwner, "which nobody may")
	})

	t.Run("does not undo that an account is disabled", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		p := o.partner("globex")
		p.opens(usermgmt.VendorUser{Email: "ada@acme.example"})
		bob := p.hires(usermgmt.VendorUser{Email: "bob@acme.example"})
		require.NoError(t, o.m.DisableUser(t.Context(), bob.Membership.UserID))
		require.NoError(t, p.m.DeprovisionUser(t.Context(), bob.Token, usermgmt.MemberRef{}))
		again := p.hires(usermgmt.VendorUser{Email: "bob@acme.example"})
		require.Equal(t, bob.Membership.UserID, again.Membership.UserID)
		_, err := p.m.CreateCode(t.Context(), again.Token)
		require.ErrorIs(t, err, usermgmt.ErrOrganizationToken)
	})

	for name, c := range map[string]struct {
		keep func(o *office, made usermgmt.Provisioned) error
		gone bool
	}{
		"nothing left": {func(*office, usermgmt.Provisioned) error { return nil }, true},
		"another membership": {func(o *office, made usermgmt.Provisioned) error {
			o.company("other", made.Membership.UserID)
			return nil
		}, false},
		"a role": {func(o *office, made usermgmt.Provisioned) error {
			return o.m.GrantRoles(o.t.Context(), made.Membership.UserID, usermgmt.Grant{Role: usermgmt.RoleReadOnly, Kind: usermgmt.ScopeRealm})
		}, false},
		"a permission": {func(o *office, made usermgmt.Provisioned) error {
			return o.m.GrantRoles(o.t.Context(), made.Membership.UserID, usermgmt.Grant{Permission: "users.read", Kind: usermgmt.ScopeRealm})
		}, false},
		"a tenant": {func(o *office, made usermgmt.Provisioned) error {
			_, err := o.m.UpdateUser(o.t.Context(), made.Membership.UserID, usermgmt.UserUpdate{AddTenants: []string{usermgmt.AnyTenant}})
			return err
		}, false},
	} {
		t.Run("the account with "+name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t)
			p := o.partner("globex")
			p.opens(usermgmt.VendorUser{Email: "ada@acme.example"})
			bob := p.hires(usermgmt.VendorUser{Email: "bob@acme.example"})
			require.NoError(t, c.keep(o, bob))
			require.NoError(t, p.m.DeprovisionUser(t.Context(), bob.Token, usermgmt.MemberRef{}))
			_, err := o.m.User(t.Context(), bob.Membership.UserID)
			require.Equal(t, c.gone, err != nil)
			_, err = o.m.Member(t.Context(), bob.Organization.ID, bob.Membership.UserID)
			require.ErrorIs(t, err, usermgmt.ErrNotFound)
		})
	}

	t.Run("another's account stays", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		globex, initech := o.partner("globex"), o.partner("initech")
		first := globex.opens(usermgmt.VendorUser{Email: "ada@acme.example"})
		initech.opens(usermgmt.VendorUser{Email: "bob@acme.example"})
		second := initech.hires(usermgmt.VendorUser{Email: "ada@acme.example"})
		require.Equal(t, first.Membership.UserID, second.Membership.UserID)
		require.NoError(t, globex.m.DeprovisionUser(t.Context(), first.Token, usermgmt.MemberRef{}))
		require.NoError(t, initech.m.DeprovisionUser(t.Context(), second.Token, usermgmt.MemberRef{}))
		_, err := o.m.User(t.Context(), first.Membership.UserID)
		require.NoError(t, err, "globex made it, and initech's act is no reason for it to go")
	})
}

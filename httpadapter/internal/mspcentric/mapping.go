package mspcentric

import (
	"net/http"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
	"github.com/usermgmt-go/usermgmt/internal/identity"
)

// Everything in this file is pure: bodies to the Manager's types and back.

// owner is the first user of the organization.
func (d organizationData) owner() (usermgmt.VendorUser, error) {
	return userData{d.Email, d.FirstName, d.LastName, d.VendorUserID, d.VendorOrganizationID}.user()
}

// user is the user of a request. The ids are not empty if they are there: a
// client whose vendorOrganizationId got lost must not land in whatever
// organization has the e-mail's domain.
func (d userData) user() (usermgmt.VendorUser, error) {
	if err := checkEmail(d.Email); err != nil {
		return usermgmt.VendorUser{}, err
	}
	vendorUserID, err := given("data.vendorUserId", d.VendorUserID)
	if err != nil {
		return usermgmt.VendorUser{}, err
	}
	vendorOrganizationID, err := given("data.vendorOrganizationId", d.VendorOrganizationID)
	if err != nil {
		return usermgmt.VendorUser{}, err
	}
	return usermgmt.VendorUser{
		Email: d.Email, FirstName: d.FirstName.Value, LastName: d.LastName.Value,
		VendorUserID: vendorUserID, VendorOrganizationID: vendorOrganizationID,
	}, nil
}

// other is the member that the request names beside its token, the empty one
// only where there is no data at all. Data that names nobody is a mistake which
// must not remove the token's own user.
func (r removalRequest) other() (usermgmt.MemberRef, error) {
	if !r.Data.Set {
		return usermgmt.MemberRef{}, nil
	}
	data := r.Data.Value
	email, err := given("data.email", data.Email)
	if err != nil {
		return usermgmt.MemberRef{}, err
	}
	if email != "" {
		if err := checkEmail(email); err != nil {
			return usermgmt.MemberRef{}, err
		}
	}
	vendorUserID, err := given("data.vendorUserId", data.VendorUserID)
	if err != nil {
		return usermgmt.MemberRef{}, err
	}
	if email == "" && vendorUserID == "" {
		return usermgmt.MemberRef{}, wire.Invalidf("data", "must be absent or name a member by email or vendorUserId")
	}
	return usermgmt.MemberRef{Email: email, VendorUserID: vendorUserID}, nil
}

// checkEmail is the Manager's own rule, applied before anybody is known: a
// malformed body is 400 to all.
func checkEmail(email string) error {
	if _, _, err := identity.FoldEmail(email); err != nil {
		return wire.Invalidf("data.email", "%v", err)
	}
	return nil
}

// given is the value of an optional member, "" if it has none, and an error for
// one that is there and empty.
func given(member string, o wire.Optional[string]) (string, error) {
	value, ok := o.Get()
	if ok && value == "" {
		return "", wire.Invalidf(member, "must be absent or not empty")
	}
	return value, nil
}

// provisioned is the answer with the token of who was provisioned.
func provisioned(message string, p usermgmt.Provisioned) provisionedResponse {
	return provisionedResponse{Status: http.StatusCreated, Message: message, OrganizationOEMToken: p.Token}
}

// sessionOf is the answer for a one-time code.
func sessionOf(c usermgmt.Code) sessionResponse {
	return sessionResponse{
		Status: http.StatusCreated, Message: "Successfully created session",
		RedirectURL: c.RedirectURL, ExpiresAt: wire.Time(c.ExpiresAt),
	}
}

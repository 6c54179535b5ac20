package record

import "github.com/usermgmt-go/usermgmt/store"

// EncodeOrganization returns the value of a record.
func EncodeOrganization(o store.Organization) []byte {
	e := encode()
	e.text(string(o.ID), o.Slug, o.Name, o.Domain, o.MatchDomain, string(o.VendorID), o.VendorOrganizationID)
	e.flag(o.OEMProvisioning)
	e.text(o.CreatedBy)
	e.int(o.Version)
	e.time(o.CreatedAt, o.UpdatedAt)
	return e.b
}

// DecodeOrganization returns the record of a value, or [ErrDamaged].
func DecodeOrganization(b []byte) (store.Organization, error) { return decode(b, readOrganization) }

func readOrganization(d *decoder) store.Organization {
	return store.Organization{
		ID: store.OrganizationID(d.text()), Slug: d.text(), Name: d.text(), Domain: d.text(), MatchDomain: d.text(),
		VendorID: store.VendorID(d.text()), VendorOrganizationID: d.text(), OEMProvisioning: d.flag(),
		CreatedBy: d.text(), Version: d.int(), CreatedAt: d.time(), UpdatedAt: d.time(),
	}
}

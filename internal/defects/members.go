package main

// memberDefects are of organizations, their members, keys and vendors.
func memberDefects() []defect {
	return []defect{
		{"members are given roles that the actor lacks", "member.go",
			"	return g.needRole(ctx, ms.OrganizationID, ms.Role)", "	return nil", ".", "TestAddMember|TestInviteMember"},
		{"a role of the realm is given in an organization", "member.go",
			"	if r.Scope != ScopeOrganization {", "	if r.Scope == 0 {", ".", "TestAddMember|TestUpdateMember"},
		{"a claimed address is as good as a vouched one", "member.go",
			"	if err == nil && u.EmailClaimed {", "	if err == nil && u.Email == \"-\" {", ".", "TestClaimedEmailGainsNothing|TestAddressesVouchForNothing"},
		{"who enters an empty organization becomes its owner", "member.go",
			"	if g.m.actor.UserID() == u.ID {", "	if g.m.actor.UserID() == \"-\" {", ".", "TestNobodyMakesHimselfOwner"},
		{"a disabled owner joins as the only one", "member.go",
			"	} else if ms.Role != RoleOwner || u.Disabled {", "	} else if ms.Role != RoleOwner {", ".", "TestLastOwner|TestAddMember"},
		{"a key reaches other organizations", "key.go",
			"	if err != nil || InOrganization(k.OrganizationID) != s {", "	if err != nil || k.OrganizationID == \"\" {", ".", "TestKeyRights"},
		{"a key keeps what its owner has lost", "key.go",
			"	if k.Owner == \"\" || owner.has(p, s) {", "	if k.Owner == \"\" || owner != nil {", ".", "TestKeyRights"},
		{"a key works after its time", "key.go", "	if ended(k.ExpiresAt, g.m.now()) {", "	if ended(k.ExpiresAt, time.Time{}) {", ".", "TestKeyExpiry|TestExpiredKeysStayExpired"},
		{"a key works for a disabled owner", "key.go", "	if err == nil && owner == nil {\n		err = ErrNotFound", "	if err == nil && owner == nil {\n		owner = &rights{}", ".", "TestKeyRights|TestDisabled|TestTokensEnd|TestRevocation"},
		{"any secret is the vendor's", "oem.go", "	case !known || right.VendorID == \"\":", "	case !known:", ".", "TestAuthenticateVendor"},
		{"a disabled vendor gets in", "oem.go", "	case v.Disabled:\n		return refused(", "	case v.Disabled && v.ID == \"\":\n		return refused(", ".", "TestAuthenticateVendor|TestUpdateVendor"},
		{"a rotated secret works after its time", "oem.go",
			"		if i < len(secrets) && !ended(secrets[i].ExpiresAt, now) {", "		if i < len(secrets) {", ".", "TestRotateVendorSecret"},
		{"a vendor asks for any scope", "oem.go", "		if !slices.Contains(v.Scopes, s) {", "		if s == \"\" {", ".", "TestAuthenticateVendor|TestVendorToken"},
		{"a vendor's token outlives its secret", "vendor_token.go", "	if err != nil || v.Disabled || !live {", "	if err != nil || v.Disabled || !live && v.ID == \"\" {", ".", "TestVendorToken"},
		{"a vendor's token outlives his being disabled", "vendor_token.go", "	if err != nil || v.Disabled || !live {", "	if err != nil || !live {", ".", "TestVendorToken"},
		{"a token without scopes has all of them", "vendor_token.go", `		actor.scopes = "-"`, `		actor.scopes = ""`, ".", "TestVendorToken|TestVendorRights"},
		{"codes are made for disabled users", "code.go", "		if u.Disabled {\n			return ErrOrganizationToken", "		if u.ID == \"\" {\n			return ErrOrganizationToken", ".", "TestCode"},
		{"a code works after its time", "code.go", "		if ended(t.ExpiresAt, now) {", "		if ended(t.ExpiresAt, t.CreatedAt) {", ".", "TestCode"},
		{"what a vendor opened outlives his right", "code.go",
			"if err == nil && (v.Disabled || !slices.Contains(v.Scopes, ScopeVendorManage)) {", "if err == nil && (v.Disabled || slices.Contains(v.Scopes, \"-\")) {", ".", "TestWhatAVendorOpenedEndsWithHisRight|TestCode"},
	}
}

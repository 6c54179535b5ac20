package main

// tokenDefects let a token do more, or for longer, than it should.
func tokenDefects() []defect {
	return []defect{
		{"tokens need not expire", "token.go", "		jwt.WithExpirationRequired(),\n", "", ".", "TestBadToken"},
		{"tokens of another issuer are taken", "token.go", "		jwt.WithIssuer(opts.Issuer),\n", "", ".", "TestTokenOfAnotherIssuer|TestBadToken"},
		{"tokens for another audience are taken", "token.go", "		jwt.WithAudience(opts.Audience),\n", "", ".", "TestTokenOfAnotherIssuer|TestBadToken"},
		{"tokens for others too are taken", "token.go", "	if len(c.Audience) != 1 {", "	if len(c.Audience) == 0 {", ".", "TestBadToken"},
		// The algorithm that a token names is compared with its key's; without that it still needs a key of the type that the algorithm takes.
		{"a token need not name its key", "token.go", "	s := t.signer(kid)\n", "	s := t.signers[len(kid)*0]\n", ".", "TestBadToken"},
		{"JWTs that are no access tokens are taken", "token.go", "	case typ != tokenType:", "	case typ == \"\":", ".", "TestBadToken"},
		{"the header may bring a key", "token.go", "	case len(token.Header) != 3:", "	case len(token.Header) < 3:", ".", "TestBadToken"},
		{"tokens of another realm are taken", "token.go", "	if a.realm != realm {", "	if a.realm == \"\" {", ".", "TestTokenOfAnotherRealm"},
		{"a token of any length is parsed", "token.go", "	if len(token) > maxToken {", "	if len(token) > maxToken<<20 {", ".", "TestBadToken"},
		{"a token has many forms", "token.go", `	if strings.ContainsAny(token, "\r\n") {`, `	if strings.ContainsAny(token, "\x00") {`, ".", "TestBadToken"},
		{"a remembered token does not expire", "token.go", "	if ok && !now.Before(a.expires) {", "	if ok && a.expires.IsZero() {", ".", "TestTokenExpiry"},
		{"a token opens another user's session", "token.go", "	case s.UserID != a.user:", "	case s.UserID == \"\":", ".", "TestBadToken"},
		{"a session is used after its time", "token.go", "	case !now.Before(s.ExpiresAt):", "	case s.ExpiresAt.IsZero():", ".", "TestSessions|TestTokenExpiry|TestSignIn|Session"},
		{"a remembered session is not asked for again", "token.go", "err == nil && now == e.generation {", "err == nil && now >= e.generation {", ".", "TestRevocationIsImmediate|TestSignOut|Session"},
		{"an identity provider speaks for disabled users", "token.go", "	case u.Disabled:", "	case u.ID == \"\":", ".", "TestAuthenticateUser"},
		{"an identity provider's word is for whoever has the id now", "token.go", "	case !at.IsZero() && at.Before(u.CreatedAt):", "	case !at.IsZero() && u.CreatedAt.IsZero():", ".", "TestAuthenticateUser"},
		{"a refresh token that was used twice ends nothing", "session.go",
			`return m.As(UserActor(t.UserID)).guarding(tx).deleteSession(ctx, t.SessionID, "session.revoked")`, "return nil", ".", "TestRefresh"},
		{"a session is refreshed after its end", "session.go",
			"		if !now.Before(t.ExpiresAt) || !now.Before(s.ExpiresAt) {", "		if t.ExpiresAt.IsZero() || s.ExpiresAt.IsZero() {", ".", "TestRefresh|TestSession|TestTemporary"},
		{"what a vendor opened is refreshed after his end", "session.go",
			"			if err := vendorLives(ctx, tx, s.OrganizationID); err != nil {", "			if err := vendorLives(ctx, tx, s.OrganizationID); err != nil && s.UserID == \"\" {", ".", "TestWhatAVendorOpenedEndsWithHisRight|TestConfined"},
		{"sessions of those above are ended", "session.go", "	return g.outranks(ctx, u)\n", "	_ = u\n	return nil\n", ".", "TestRank|TestSessions"},
	}
}

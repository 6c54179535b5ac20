package main

// passwordDefects are of passwords and of signing in by them.
func passwordDefects() []defect {
	return []defect{
		{"any password signs in", "session.go", "		case !ok:\n			cause = \"the password is wrong\"", "		case !ok && l.user.ID == \"\":\n			cause = \"the password is wrong\"", ".", "TestSignIn"},
		{"an expired temporary password signs in", "session.go",
			"		case l.cred.Temporary && !m.now().Before(l.cred.ExpiresAt):", "		case l.cred.Temporary && l.cred.ExpiresAt.IsZero():", ".", "TestTemporaryPasswordExpires"},
		{"a sign-in rests on a password that was just replaced", "session.go",
			"(cred.Hash != l.cred.Hash || cred.Temporary != l.cred.Temporary)", "(cred.Temporary != l.cred.Temporary)", ".", "TestSignInDecidesAsOfNow"},
		{"unknown names cost nothing", "session.go", "logins = []login{{hash: l.hash}}", "_, logins = l, []login{{}}", ".", "TestSignInWorksForEveryoneAlike|TestDecoy|TestSignIn"},
		{"passwords of any length are hashed", "policy.go", "	case len(password) > p.MaxBytes:", "	case len(password) > p.MaxBytes<<10:", ".", "TestPasswordPolicy"},
		{"throttled passwords are tried all the same", "session.go", "		if w > 0 {\n			wait = max(wait, w)\n			continue", "		if w > 0 && l.user.ID == \"\" {\n			wait = max(wait, w)\n			continue", ".", "Throttl|Guess"},
		{"bytes count as characters", "policy.go", "	case utf8.RuneCountInString(password) < p.MinLength:", "	case len(password) < p.MinLength:", ".", "TestPasswordPolicy"},
		{"a password may be the name before the @", "policy.go", "		return lower == w || lower == name || lower == domain", "		return lower == w || lower == \"@\"+name || lower == domain", ".", "TestPasswordPolicy|TestPasswordIsNot"},
		{"common passwords are taken", "policy.go", "	case !p.AllowCommon && isCommon(lower):", "	case p.AllowCommon && isCommon(lower):", ".", "TestPasswordPolicy"},
		{"bcrypt compares 72 bytes", "internal/phc/bcrypt.go", "	return err == nil && exact\n", "	return err == nil && (exact || len(password) > 0)\n", "internal/phc", "TestBcrypt|TestTruncation|TestVerify"},
		{"slots hash as many at once as ask", "internal/phc/slots.go", "slots: make(chan struct{}, n), heavy", "slots: make(chan struct{}, n<<10), heavy", "internal/phc", "TestSlots"},
	}
}

package main

// storeDefects are of the stores, of which the suite of store/storetest finds
// what it promises to.
func storeDefects() []defect {
	return []defect{
		{"a token is used twice (memstore)", "memstore/token.go", "	if row.used != never {", "	if row.used != never && at.IsZero() {", "memstore", "TestStore/TokenUse"},
		{"a token of one kind is found as another (memstore)", "memstore/token.go", "	if row == nil || row.kind != kind {", "	if row == nil {", "memstore", "TestStore/TokenUse"},
		{"an older version overwrites (memstore)", "memstore/org.go", "	case row.Version != o.Version:", "	case row.Version < o.Version:", "memstore", "TestStore/Organization"},
		{"a rolled-back credential stays (memstore)", "memstore/password.go", "	x.undo(func() { u.cred = old })", "	x.undo(func() { _ = old })", "memstore", "TestStore|TestUndo"},
		{"a token is used twice (sqlitestore)", "sqlitestore/token.go", "	if !k.UsedAt.IsZero() {", "	if !k.UsedAt.IsZero() && at.IsZero() {", "sqlitestore", "TestStore/TokenUse"},
		{"an older version overwrites (sqlitestore)", "sqlitestore/user.go", "	if old.Version != u.Version {", "	if old.Version < u.Version {", "sqlitestore", "TestStore/User"},
		{"a deleted session leaves the generation (sqlitestore)", "sqlitestore/session.go", "	t.rights = true\n", "", "sqlitestore", "TestStore/Generation"},
		{"a View's generation is today's (sqlitestore)", "sqlitestore/generation.go", "ok && now == v.before {", "ok {", "sqlitestore", "TestGenerationOfTheSnapshot"},
		{"a token is used twice (pgstore)", "pgstore/token.go", "	if !k.UsedAt.IsZero() {", "	if !k.UsedAt.IsZero() && at.IsZero() {", "pgstore", "TestStore/.*/TokenUse"},
		{"an older version overwrites (pgstore)", "pgstore/user.go", "	if old.Version != u.Version {", "	if old.Version < u.Version {", "pgstore", "TestStore/.*/User"},
		{"what a unit read may have changed (pgstore)", "pgstore/seen.go", `			" AND r.data=s.data FOR SHARE OF r NOWAIT) same",`, `			" FOR SHARE OF r NOWAIT) same",`, "pgstore", "Conflict|TestUnit|TestRead|TestRepeat|TestLost|TestSeen"},
		{"a parent may go while it is named (pgstore)", "pgstore/unit.go", `const locked = " FOR KEY SHARE"`, `const locked = ""`, "pgstore", "Conflict|Parent|TestReference|TestDelet"},
		{"numbers of events are given out before their commit (pgstore)", "pgstore/event.go", `ON CONFLICT (realm) DO UPDATE SET last=l.last+excluded.last RETURNING last-$2::bigint AS before)`, `ON CONFLICT (realm) DO UPDATE SET last=l.last+excluded.last+1 RETURNING last-$2::bigint AS before)`, "pgstore", "TestRestarts|TestEvent|TestPromotions"},
		{"a glance's generation is of another moment (pgstore)", "pgstore/glance.go", `"SELECT (" + query + "), coalesce((" + generationOf + "), 0)"`, `"SELECT (" + query + "), coalesce((" + generationOf + "), 0)+1"`, "pgstore", "TestStore/.*/Glance"},
		{"a token's end and use are mixed up (record)", "internal/record/token.go", "CreatedAt: d.time(), ExpiresAt: d.time(), UsedAt: d.time(),", "CreatedAt: d.time(), UsedAt: d.time(), ExpiresAt: d.time(),", "internal/record", "TestRecords"},
	}
}

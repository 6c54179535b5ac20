package main

// keyDefects are of what the stores find records by: the realm, which is in every
// key, and the names that are unique.
func keyDefects() []defect {
	return []defect{
		{"usernames are taken twice (memstore)", "memstore/user.go", "		return exists(\"UsernameKey\")", "		_ = exists(\"UsernameKey\")", "memstore", "TestStore"},
		{"vendors' own ids are taken twice (memstore)", "memstore/member.go", "	if other := t.byVendorUser[orgText{row.org, m.VendorUserID}]; other != nil && other != row {", "	if other := t.byVendorUser[orgText{row.org, m.VendorUserID}]; other != nil && other == nil {", "memstore", "TestStore/Member"},
		{"users are found in every realm (sqlitestore)", "sqlitestore/user.go",
			"userByUsername = \"SELECT data FROM {user} WHERE realm=? AND", "userByUsername = \"SELECT data FROM {user} WHERE (realm=? OR true) AND", "sqlitestore", "TestStore"},
		{"keys are found in every realm (sqlitestore)", "sqlitestore/key.go",
			"const keyByDigest = \"SELECT data FROM {api_key} WHERE realm=? AND", "const keyByDigest = \"SELECT data FROM {api_key} WHERE (realm=? OR true) AND", "sqlitestore", "TestStore"},
		{"a deleted user's keys of every realm go (sqlitestore)", "sqlitestore/user.go",
			"\"DELETE FROM {credential} WHERE realm=? AND", "\"DELETE FROM {credential} WHERE (realm=? OR true) AND", "sqlitestore", "TestStore"},
		{"addresses are taken twice (sqlitestore)", "sqlitestore/migrations/0001_initial.sql", "CREATE UNIQUE INDEX {user_email}", "CREATE INDEX {user_email}", "sqlitestore", "TestStore/User"},
		{"records are found in every realm (pgstore)", "pgstore/seen.go",
			"\"SELECT data FROM \"+of.name+\" WHERE realm=$1 AND \"+condition", "\"SELECT data FROM \"+of.name+\" WHERE $1=$1 AND \"+condition", "pgstore", "TestStore"},
		{"a deleted user's namesakes lose their keys (pgstore)", "pgstore/user.go",
			"\"DELETE FROM {api_key} WHERE realm=$1 AND owner=$2\"", "\"DELETE FROM {api_key} WHERE $1=$1 AND owner=$2\"", "pgstore", "TestStore"},
		{"usernames are taken twice (pgstore)", "pgstore/migrations/0001_initial.sql", "CREATE UNIQUE INDEX {.user_username}", "CREATE INDEX {.user_username}", "pgstore", "TestStore/.*/User"},
		{"addresses are taken twice at once (pgstore)", "pgstore/migrations/0001_initial.sql", "CREATE UNIQUE INDEX {.user_email}", "CREATE INDEX {.user_email}", "pgstore", "TestStore/.*/User"},
		{"usernames are compared as they are spelled", "user.go", "	u.Username, u.UsernameKey = name, key\n", "	u.Username, u.UsernameKey = name, name+key[:0]\n", "internal/faulttest", "TestNamesCollide"},
		{"addresses are compared as they are spelled", "user.go", "	u.Email, u.EmailKey = email, key\n", "	u.Email, u.EmailKey = email, email+key[:0]\n", "internal/faulttest", "TestNamesCollide"},
	}
}

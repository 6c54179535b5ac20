-- Names in braces get the prefix of the host's choice.
--
-- The realm leads every key. A column beside "data" is there because a key, an
-- index or a cascade needs it; "data" holds the whole record in the store's own
-- encoding. Columns that may be empty and are unique, or that few rows have,
-- are NULL when empty and have partial indexes.

-- One row for each migration, this one included.
CREATE TABLE {schema} (
	number     INTEGER NOT NULL PRIMARY KEY,
	applied_at INTEGER NOT NULL -- microseconds since 1970
);

CREATE TABLE {realm} (
	realm      TEXT NOT NULL PRIMARY KEY,
	generation INTEGER NOT NULL DEFAULT 0,
	dropped    INTEGER NOT NULL DEFAULT 0 -- events up to here may be gone
) WITHOUT ROWID;

CREATE TABLE {user} (
	realm        TEXT NOT NULL,
	id           TEXT NOT NULL,
	username_key TEXT NOT NULL,
	email_key    TEXT,
	data         BLOB NOT NULL,
	PRIMARY KEY (realm, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX {user_username} ON {user} (realm, username_key);
CREATE UNIQUE INDEX {user_email} ON {user} (realm, email_key) WHERE email_key IS NOT NULL;

-- What users hold, the other way round: role, tenant or scope to user.
CREATE TABLE {user_index} (
	realm TEXT NOT NULL,
	kind  INTEGER NOT NULL,
	key   TEXT NOT NULL,
	user  TEXT NOT NULL,
	PRIMARY KEY (realm, kind, key, user)
) WITHOUT ROWID;

-- Order statistics of the users' ids: n users stand from lo up to the next lo
-- of the same level. The boundaries of level 1 are boundaries of level 0 too.
CREATE TABLE {user_rank} (
	realm TEXT NOT NULL,
	level INTEGER NOT NULL,
	lo    TEXT NOT NULL,
	n     INTEGER NOT NULL,
	PRIMARY KEY (realm, level, lo)
) WITHOUT ROWID;

CREATE TABLE {credential} (
	realm TEXT NOT NULL,
	user  TEXT NOT NULL,
	data  BLOB NOT NULL,
	PRIMARY KEY (realm, user)
) WITHOUT ROWID;

CREATE TABLE {organization} (
	realm        TEXT NOT NULL,
	id           TEXT NOT NULL,
	slug         TEXT,
	vendor       TEXT,
	vendor_org   TEXT,
	match_domain TEXT,
	data         BLOB NOT NULL,
	PRIMARY KEY (realm, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX {organization_slug} ON {organization} (realm, slug) WHERE slug IS NOT NULL;
CREATE UNIQUE INDEX {organization_vendor_org} ON {organization} (realm, vendor, vendor_org) WHERE vendor_org IS NOT NULL;
CREATE UNIQUE INDEX {organization_domain} ON {organization} (realm, vendor, match_domain) WHERE match_domain IS NOT NULL;
CREATE INDEX {organization_vendor} ON {organization} (realm, vendor) WHERE vendor IS NOT NULL;

CREATE TABLE {membership} (
	realm        TEXT NOT NULL,
	organization TEXT NOT NULL,
	user         TEXT NOT NULL,
	role         TEXT NOT NULL,
	vendor_user  TEXT,
	data         BLOB NOT NULL,
	PRIMARY KEY (realm, organization, user)
) WITHOUT ROWID;
CREATE UNIQUE INDEX {membership_vendor_user} ON {membership} (realm, organization, vendor_user) WHERE vendor_user IS NOT NULL;
CREATE INDEX {membership_role} ON {membership} (realm, organization, role);
CREATE INDEX {membership_user} ON {membership} (realm, user);

CREATE TABLE {role} (
	realm TEXT NOT NULL,
	id    TEXT NOT NULL,
	scope INTEGER NOT NULL,
	name  TEXT NOT NULL,
	data  BLOB NOT NULL,
	PRIMARY KEY (realm, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX {role_name} ON {role} (realm, scope, name);

CREATE TABLE {permission} (
	realm TEXT NOT NULL,
	name  TEXT NOT NULL,
	PRIMARY KEY (realm, name)
) WITHOUT ROWID;

CREATE TABLE {tenant} (
	realm TEXT NOT NULL,
	id    TEXT NOT NULL,
	data  BLOB NOT NULL,
	PRIMARY KEY (realm, id)
) WITHOUT ROWID;

CREATE TABLE {vendor} (
	realm     TEXT NOT NULL,
	id        TEXT NOT NULL,
	client_id TEXT NOT NULL,
	data      BLOB NOT NULL,
	PRIMARY KEY (realm, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX {vendor_client} ON {vendor} (realm, client_id);

CREATE TABLE {vendor_secret} (
	realm      TEXT NOT NULL,
	vendor     TEXT NOT NULL,
	digest     BLOB NOT NULL,
	expires_at INTEGER, -- microseconds since 1970; NULL for never
	data       BLOB NOT NULL,
	PRIMARY KEY (realm, vendor, digest)
) WITHOUT ROWID;
CREATE INDEX {vendor_secret_expiry} ON {vendor_secret} (realm, expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE {api_key} (
	realm        TEXT NOT NULL,
	id           TEXT NOT NULL,
	organization TEXT NOT NULL,
	owner        TEXT,
	digest       BLOB NOT NULL,
	data         BLOB NOT NULL,
	PRIMARY KEY (realm, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX {api_key_digest} ON {api_key} (realm, digest);
CREATE INDEX {api_key_organization} ON {api_key} (realm, organization);
CREATE INDEX {api_key_owner} ON {api_key} (realm, owner) WHERE owner IS NOT NULL;

CREATE TABLE {session} (
	realm        TEXT NOT NULL,
	id           TEXT NOT NULL,
	user         TEXT NOT NULL,
	organization TEXT,
	expires_at   INTEGER,
	data         BLOB NOT NULL,
	PRIMARY KEY (realm, id)
) WITHOUT ROWID;
CREATE INDEX {session_user} ON {session} (realm, user);
CREATE INDEX {session_organization} ON {session} (realm, organization) WHERE organization IS NOT NULL;
CREATE INDEX {session_expiry} ON {session} (realm, expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE {token} (
	realm        TEXT NOT NULL,
	digest       BLOB NOT NULL,
	kind         INTEGER NOT NULL,
	user         TEXT NOT NULL,
	organization TEXT,
	session      TEXT,
	expires_at   INTEGER,
	data         BLOB NOT NULL,
	PRIMARY KEY (realm, digest)
) WITHOUT ROWID;
CREATE INDEX {token_user} ON {token} (realm, user);
CREATE INDEX {token_organization} ON {token} (realm, organization, user) WHERE organization IS NOT NULL;
CREATE INDEX {token_session} ON {token} (realm, session) WHERE session IS NOT NULL;
CREATE INDEX {token_expiry} ON {token} (realm, expires_at) WHERE expires_at IS NOT NULL;

-- Failed attempts at secrets, by the digest of what was tried at.
CREATE TABLE {failures} (
	realm      TEXT NOT NULL,
	digest     BLOB NOT NULL,
	expires_at INTEGER NOT NULL,
	data       BLOB NOT NULL,
	PRIMARY KEY (realm, digest)
) WITHOUT ROWID;
CREATE INDEX {failures_expiry} ON {failures} (realm, expires_at);

CREATE TABLE {event} (
	realm TEXT NOT NULL,
	seq   INTEGER NOT NULL,
	data  BLOB NOT NULL,
	PRIMARY KEY (realm, seq)
) WITHOUT ROWID;

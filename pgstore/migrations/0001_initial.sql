-- Names in braces get the schema and the prefix of the host's choice; with a
-- dot, the prefix alone.
--
-- The realm leads every key. A column beside "data" is there because a key, an
-- index or a cascade needs it; "data" holds the whole record in the store's own
-- encoding. Columns that may be empty and are unique, or that few rows have,
-- are NULL when empty and have partial indexes. Texts compare by their bytes,
-- whatever the database's collation. There are no foreign keys: units lock the
-- rows that a record names, and remove what hangs on a row with it.

-- One row for each migration, this one included.
CREATE TABLE {schema} (
	number     bigint NOT NULL PRIMARY KEY,
	applied_at bigint NOT NULL -- microseconds since 1970
);

-- Room is left in the pages of what is updated often, so that no index is.
CREATE TABLE {realm} (
	realm      text COLLATE "C" NOT NULL PRIMARY KEY,
	generation bigint NOT NULL
) WITH (fillfactor = 20);

CREATE TABLE {user} (
	realm        text COLLATE "C" NOT NULL,
	id           text COLLATE "C" NOT NULL,
	username_key text COLLATE "C" NOT NULL,
	email_key    text COLLATE "C",
	data         bytea NOT NULL,
	CONSTRAINT {.user_pkey} PRIMARY KEY (realm, id)
);
CREATE UNIQUE INDEX {.user_username} ON {user} (realm, username_key);
CREATE UNIQUE INDEX {.user_email} ON {user} (realm, email_key) WHERE email_key IS NOT NULL;

-- What users hold, the other way round: role, tenant or scope to user.
CREATE TABLE {user_index} (
	realm   text COLLATE "C" NOT NULL,
	kind    bigint NOT NULL,
	key     text COLLATE "C" NOT NULL,
	user_id text COLLATE "C" NOT NULL,
	CONSTRAINT {.user_index_pkey} PRIMARY KEY (realm, kind, key, user_id)
);

-- How many users there are: n of them from lo up to the next lo, and with each
-- of user_change one more or one less. Changes are moved into ranges now and
-- then; writers of users never meet in one row.
CREATE TABLE {user_range} (
	realm text COLLATE "C" NOT NULL,
	lo    text COLLATE "C" NOT NULL,
	n     bigint NOT NULL,
	CONSTRAINT {.user_range_pkey} PRIMARY KEY (realm, lo)
);
CREATE TABLE {user_change} (
	realm   text COLLATE "C" NOT NULL,
	user_id text COLLATE "C" NOT NULL,
	n       bigint NOT NULL -- 1 or -1
);
CREATE INDEX {.user_change_realm} ON {user_change} (realm);

CREATE TABLE {credential} (
	realm   text COLLATE "C" NOT NULL,
	user_id text COLLATE "C" NOT NULL,
	data    bytea NOT NULL,
	CONSTRAINT {.credential_pkey} PRIMARY KEY (realm, user_id)
);

CREATE TABLE {organization} (
	realm        text COLLATE "C" NOT NULL,
	id           text COLLATE "C" NOT NULL,
	slug         text COLLATE "C",
	vendor_id    text COLLATE "C",
	vendor_org   text COLLATE "C",
	match_domain text COLLATE "C",
	data         bytea NOT NULL,
	CONSTRAINT {.organization_pkey} PRIMARY KEY (realm, id)
);
CREATE UNIQUE INDEX {.organization_slug} ON {organization} (realm, slug) WHERE slug IS NOT NULL;
CREATE UNIQUE INDEX {.organization_vendor_org} ON {organization} (realm, vendor_id, vendor_org) WHERE vendor_org IS NOT NULL;
CREATE UNIQUE INDEX {.organization_domain} ON {organization} (realm, vendor_id, match_domain) WHERE match_domain IS NOT NULL;
CREATE INDEX {.organization_vendor} ON {organization} (realm, vendor_id, id) WHERE vendor_id IS NOT NULL;

CREATE TABLE {membership} (
	realm       text COLLATE "C" NOT NULL,
	org_id      text COLLATE "C" NOT NULL,
	user_id     text COLLATE "C" NOT NULL,
	role        text COLLATE "C" NOT NULL,
	vendor_user text COLLATE "C",
	data        bytea NOT NULL,
	CONSTRAINT {.membership_pkey} PRIMARY KEY (realm, org_id, user_id)
);
CREATE UNIQUE INDEX {.membership_vendor_user} ON {membership} (realm, org_id, vendor_user) WHERE vendor_user IS NOT NULL;
CREATE INDEX {.membership_role} ON {membership} (realm, org_id, role, user_id);
CREATE INDEX {.membership_user} ON {membership} (realm, user_id, org_id);

CREATE TABLE {role} (
	realm text COLLATE "C" NOT NULL,
	id    text COLLATE "C" NOT NULL,
	scope bigint NOT NULL,
	name  bytea NOT NULL, -- its SHA-256: it may be longer than what fits into an index
	data  bytea NOT NULL,
	CONSTRAINT {.role_pkey} PRIMARY KEY (realm, id)
);
CREATE UNIQUE INDEX {.role_name} ON {role} (realm, scope, name);

CREATE TABLE {permission} (
	realm text COLLATE "C" NOT NULL,
	name  text COLLATE "C" NOT NULL,
	CONSTRAINT {.permission_pkey} PRIMARY KEY (realm, name)
);

CREATE TABLE {tenant} (
	realm text COLLATE "C" NOT NULL,
	id    text COLLATE "C" NOT NULL,
	data  bytea NOT NULL,
	CONSTRAINT {.tenant_pkey} PRIMARY KEY (realm, id)
);

CREATE TABLE {vendor} (
	realm     text COLLATE "C" NOT NULL,
	id        text COLLATE "C" NOT NULL,
	client_id text COLLATE "C" NOT NULL,
	data      bytea NOT NULL,
	CONSTRAINT {.vendor_pkey} PRIMARY KEY (realm, id)
);
CREATE UNIQUE INDEX {.vendor_client} ON {vendor} (realm, client_id);

CREATE TABLE {vendor_secret} (
	realm      text COLLATE "C" NOT NULL,
	vendor_id  text COLLATE "C" NOT NULL,
	digest     bytea NOT NULL,
	expires_at bigint, -- microseconds since 1970; NULL for never
	data       bytea NOT NULL,
	CONSTRAINT {.vendor_secret_pkey} PRIMARY KEY (realm, vendor_id, digest)
);
CREATE INDEX {.vendor_secret_expiry} ON {vendor_secret} (realm, expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE {api_key} (
	realm  text COLLATE "C" NOT NULL,
	id     text COLLATE "C" NOT NULL,
	org_id text COLLATE "C" NOT NULL,
	owner  text COLLATE "C",
	digest bytea NOT NULL,
	data   bytea NOT NULL,
	CONSTRAINT {.api_key_pkey} PRIMARY KEY (realm, id)
);
CREATE UNIQUE INDEX {.api_key_digest} ON {api_key} (realm, digest);
CREATE INDEX {.api_key_org} ON {api_key} (realm, org_id, id);
CREATE INDEX {.api_key_owner} ON {api_key} (realm, owner) WHERE owner IS NOT NULL;

CREATE TABLE {session} (
	realm      text COLLATE "C" NOT NULL,
	id         text COLLATE "C" NOT NULL,
	user_id    text COLLATE "C" NOT NULL,
	org_id     text COLLATE "C",
	expires_at bigint,
	data       bytea NOT NULL,
	CONSTRAINT {.session_pkey} PRIMARY KEY (realm, id)
);
CREATE INDEX {.session_user} ON {session} (realm, user_id, id);
CREATE INDEX {.session_org} ON {session} (realm, org_id) WHERE org_id IS NOT NULL;
CREATE INDEX {.session_expiry} ON {session} (realm, expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE {token} (
	realm      text COLLATE "C" NOT NULL,
	digest     bytea NOT NULL,
	kind       bigint NOT NULL,
	user_id    text COLLATE "C" NOT NULL,
	org_id     text COLLATE "C",
	session_id text COLLATE "C",
	expires_at bigint,
	data       bytea NOT NULL,
	CONSTRAINT {.token_pkey} PRIMARY KEY (realm, digest)
);
CREATE INDEX {.token_user} ON {token} (realm, user_id);
CREATE INDEX {.token_org} ON {token} (realm, org_id, user_id, digest) WHERE org_id IS NOT NULL;
CREATE INDEX {.token_session} ON {token} (realm, session_id) WHERE session_id IS NOT NULL;
CREATE INDEX {.token_expiry} ON {token} (realm, expires_at) WHERE expires_at IS NOT NULL;

-- Failed attempts at secrets, by the digest of what was tried at.
CREATE TABLE {failures} (
	realm      text COLLATE "C" NOT NULL,
	digest     bytea NOT NULL,
	expires_at bigint NOT NULL,
	data       bytea NOT NULL,
	CONSTRAINT {.failures_pkey} PRIMARY KEY (realm, digest)
) WITH (fillfactor = 50);
CREATE INDEX {.failures_expiry} ON {failures} (realm, expires_at);

-- The greatest number of an event that was ever given out in the realm. Who
-- holds the row's lock is the only one to give out numbers, up to its commit.
CREATE TABLE {log} (
	realm text COLLATE "C" NOT NULL PRIMARY KEY,
	last  bigint NOT NULL
) WITH (fillfactor = 20);
CREATE TABLE {event} (
	realm text COLLATE "C" NOT NULL,
	seq   bigint NOT NULL,
	data  bytea NOT NULL,
	CONSTRAINT {.event_pkey} PRIMARY KEY (realm, seq)
);

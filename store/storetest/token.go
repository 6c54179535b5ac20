package storetest

import (
	"context"

	"github.com/usermgmt-go/usermgmt/store"
)

func keys() subject {
	return noun[store.Key]{
		name: "Key", base: memberBase, sample: sampleKey,
		create: store.Tx.CreateKey,
		remove: func(tx store.Tx, ctx context.Context, k store.Key) error { return tx.DeleteKey(ctx, k.ID) },
		keys: []key[store.Key]{{
			field: "ID",
			find: func(r store.Reader, ctx context.Context, k store.Key) (store.Key, error) {
				return r.Key(ctx, k.ID)
			},
			copy: func(to *store.Key, from store.Key) { to.ID = from.ID },
			set:  func(k *store.Key, s string) { k.ID = store.KeyID(s) },
		}, {
			field: "Digest",
			find: func(r store.Reader, ctx context.Context, k store.Key) (store.Key, error) {
				return r.KeyByDigest(ctx, k.Digest)
			},
			copy: func(to *store.Key, from store.Key) { to.Digest = from.Digest },
		}},
		page: func(r store.Reader, ctx context.Context, after store.Key, limit int) ([]store.Key, error) {
			return r.Keys(ctx, orgID(0), after.ID, limit)
		},
		dangling: map[string]func(*store.Key){
			"OrganizationID": func(k *store.Key) { k.OrganizationID = "nowhere" },
			"Owner":          func(k *store.Key) { k.Owner = "nobody" },
		},
		broken: []fault[store.Key]{
			{"ID", func(k *store.Key) { k.ID = "" }},
			{"OrganizationID", func(k *store.Key) { k.OrganizationID = "" }},
			{"Role", func(k *store.Key) { k.Role = "" }},
			{"Digest", func(k *store.Key) { k.Digest = store.Digest{} }},
		},
	}
}

func sessions() subject {
	return noun[store.Session]{
		name: "Session", base: memberBase, sample: sampleSession,
		create: store.Tx.CreateSession,
		remove: func(tx store.Tx, ctx context.Context, s store.Session) error {
			return tx.DeleteSession(ctx, s.ID)
		},
		keys: []key[store.Session]{{
			field: "ID",
			find: func(r store.Reader, ctx context.Context, s store.Session) (store.Session, error) {
				return r.Session(ctx, s.ID)
			},
			copy: func(to *store.Session, from store.Session) { to.ID = from.ID },
			set:  func(s *store.Session, v string) { s.ID = store.SessionID(v) },
		}},
		page: func(r store.Reader, ctx context.Context, after store.Session, limit int) ([]store.Session, error) {
			return r.Sessions(ctx, userID(0), after.ID, limit)
		},
		dangling: map[string]func(*store.Session){
			"OrganizationID": func(s *store.Session) { s.OrganizationID = "nowhere" },
			"UserID":         func(s *store.Session) { s.UserID = "nobody" },
		},
		broken: []fault[store.Session]{
			{"ID", func(s *store.Session) { s.ID = "" }},
			{"UserID", func(s *store.Session) { s.UserID = "" }},
		},
	}
}

func tokens() subject {
	return noun[store.Token]{
		name: "Token", base: sessionBase, sample: sampleToken,
		create: store.Tx.CreateToken,
		remove: func(tx store.Tx, ctx context.Context, t store.Token) error {
			return tx.DeleteToken(ctx, t.Kind, t.Digest)
		},
		keys: []key[store.Token]{{
			field: "Digest",
			find: func(r store.Reader, ctx context.Context, t store.Token) (store.Token, error) {
				return r.Token(ctx, t.Kind, t.Digest)
			},
			copy: func(to *store.Token, from store.Token) { to.Digest = from.Digest },
		}},
		dangling: map[string]func(*store.Token){
			"UserID": func(t *store.Token) { t.UserID = "nobody" },
			"OrganizationID": func(t *store.Token) {
				t.Kind, t.OrganizationID, t.SessionID = store.TokenCode, "nowhere", ""
			},
			"SessionID": func(t *store.Token) {
				t.Kind, t.OrganizationID, t.SessionID = store.TokenRefresh, "", "none"
			},
		},
		broken: []fault[store.Token]{
			{"UserID", func(t *store.Token) { t.UserID = "" }},
			{"Digest", func(t *store.Token) { t.Digest = store.Digest{} }},
			{"Kind", func(t *store.Token) { t.Kind = 0 }},
			{"Kind", func(t *store.Token) { t.Kind = 4 }},
			{"SessionID", func(t *store.Token) { t.Kind, t.SessionID = store.TokenRefresh, "" }},
			{"SessionID", func(t *store.Token) { t.Kind, t.SessionID = store.TokenCode, "session-000" }},
			{"OrganizationID", func(t *store.Token) { t.Kind, t.SessionID, t.OrganizationID = store.TokenCode, "", "" }},
			{"OrganizationID", func(t *store.Token) {
				t.Kind, t.SessionID, t.OrganizationID = store.TokenRefresh, "session-000", "org-000"
			}},
		},
	}
}

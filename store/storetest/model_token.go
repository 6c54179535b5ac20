package storetest

import (
	"context"
	"slices"

	"github.com/usermgmt-go/usermgmt/store"
)

func (u *modelUnit) Key(ctx context.Context, id store.KeyID) (store.Key, error) {
	if err := u.ready(ctx); err != nil {
		return store.Key{}, err
	}
	return at(u.keys, id)
}

func (u *modelUnit) KeyByDigest(ctx context.Context, digest store.Digest) (store.Key, error) {
	if err := u.ready(ctx); err != nil {
		return store.Key{}, err
	}
	return one(u.keys, func(k store.Key) bool { return k.Digest == digest })
}

func (u *modelUnit) Keys(ctx context.Context, org store.OrganizationID, after store.KeyID, limit int) ([]store.Key, error) {
	return first(u.keys, limit, func(k store.Key) store.KeyID { return k.ID },
		func(k store.Key) bool { return k.OrganizationID == org && k.ID > after }), u.ready(ctx)
}

func (u *modelUnit) CreateKey(ctx context.Context, k store.Key) error {
	if err := u.begin(ctx, k); err != nil {
		return err
	}
	var duplicate error
	if _, there := u.keys[k.ID]; there {
		duplicate = exists("ID")
	} else if some(u.keys, func(o store.Key) bool { return o.Digest == k.Digest }) {
		duplicate = exists("Digest")
	}
	_, org := u.orgs[k.OrganizationID]
	if err := refused(org && (k.Owner == "" || u.users[k.Owner] != nil), duplicate); err != nil {
		return err
	}
	u.keys[k.ID] = k
	return nil
}

func (u *modelUnit) DeleteKey(ctx context.Context, id store.KeyID) error {
	if err := u.ready(ctx); err != nil {
		return err
	}
	_, err := at(u.keys, id)
	if err == nil {
		delete(u.keys, id)
		u.generation++
	}
	return err
}

func (u *modelUnit) Session(ctx context.Context, id store.SessionID) (store.Session, error) {
	if err := u.ready(ctx); err != nil {
		return store.Session{}, err
	}
	return at(u.sessions, id)
}

func (u *modelUnit) Sessions(ctx context.Context, user store.UserID, after store.SessionID, limit int) ([]store.Session, error) {
	return first(u.sessions, limit, func(s store.Session) store.SessionID { return s.ID },
		func(s store.Session) bool { return s.UserID == user && s.ID > after }), u.ready(ctx)
}

func (u *modelUnit) CreateSession(ctx context.Context, s store.Session) error {
	if err := u.begin(ctx, s); err != nil {
		return err
	}
	var duplicate error
	if _, there := u.sessions[s.ID]; there {
		duplicate = exists("ID")
	}
	_, org := u.orgs[s.OrganizationID]
	if err := refused(u.users[s.UserID] != nil && (org || s.OrganizationID == ""), duplicate); err != nil {
		return err
	}
	u.sessions[s.ID] = s
	return nil
}

func (u *modelUnit) DeleteSession(ctx context.Context, id store.SessionID) error {
	if err := u.ready(ctx); err != nil {
		return err
	}
	if u.purgeSessions(func(s store.Session) bool { return s.ID == id }) == 0 {
		return store.ErrNotFound
	}
	return nil
}

func (u *modelUnit) DeleteSessions(ctx context.Context, user store.UserID) (int, error) {
	if err := u.ready(ctx); err != nil {
		return 0, err
	}
	purge(u.tokens, func(t store.Token) bool { return t.UserID == user && t.Kind == store.TokenCode })
	return u.purgeSessions(func(s store.Session) bool { return s.UserID == user }), nil
}

func (u *modelUnit) Token(ctx context.Context, kind store.TokenKind, digest store.Digest) (store.Token, error) {
	if err := u.ready(ctx); err != nil {
		return store.Token{}, err
	}
	return one(u.tokens, func(t store.Token) bool { return t.Kind == kind && t.Digest == digest })
}

func (u *modelUnit) OrganizationTokens(
	ctx context.Context, org store.OrganizationID, users []store.UserID, after store.Digest, limit int,
) ([]store.Token, error) {
	if err := few(users); err != nil {
		return nil, err
	}
	return first(u.tokens, limit, func(t store.Token) string { return string(t.Digest[:]) },
		func(t store.Token) bool {
			return t.Kind == store.TokenOrganization && t.OrganizationID == org && slices.Contains(users, t.UserID) &&
				string(t.Digest[:]) > string(after[:])
		}), u.ready(ctx)
}

func (u *modelUnit) CreateToken(ctx context.Context, t store.Token) error {
	if err := u.begin(ctx, t); err != nil {
		return err
	}
	var duplicate error
	if _, there := u.tokens[t.Digest]; there {
		duplicate = exists("Digest")
	}
	_, session := u.sessions[t.SessionID]
	_, member := u.members[memberKey{t.OrganizationID, t.UserID}]
	found := u.users[t.UserID] != nil && (session || t.SessionID == "") && (member || t.OrganizationID == "")
	if err := refused(found, duplicate); err != nil {
		return err
	}
	u.tokens[t.Digest] = t
	return nil
}

func (u *modelUnit) UseToken(
	ctx context.Context, kind store.TokenKind, digest store.Digest, now store.Time,
) (store.Token, error) {
	t, err := u.Token(ctx, kind, digest)
	if err != nil {
		return t, err
	}
	if !t.UsedAt.IsZero() {
		return t, store.ErrUsed
	}
	t.UsedAt = now
	if err := t.Check(); err != nil {
		return store.Token{}, err
	}
	u.tokens[digest] = t
	return t, nil
}

func (u *modelUnit) DeleteToken(ctx context.Context, kind store.TokenKind, digest store.Digest) error {
	_, err := u.Token(ctx, kind, digest)
	if err == nil {
		delete(u.tokens, digest)
	}
	return err
}

func (u *modelUnit) DeleteExpired(ctx context.Context, now store.Time, limit int) (int, error) {
	if err := u.ready(ctx); err != nil {
		return 0, err
	}
	n := 0
	expired := func(at store.Time) bool {
		if n >= limit || at.IsZero() || at.After(now) {
			return false
		}
		n++
		return true
	}
	purge(u.secrets, func(s store.VendorSecret) bool { return expired(s.ExpiresAt) })
	purge(u.tokens, func(t store.Token) bool { return expired(t.ExpiresAt) })
	purge(u.failures, func(f store.Failures) bool { return expired(f.ExpiresAt) })
	for id, s := range u.sessions {
		if expired(s.ExpiresAt) {
			u.purgeSessions(func(s store.Session) bool { return s.ID == id })
		}
	}
	return n, nil
}

func (u *modelUnit) Events(ctx context.Context, after int64, limit int) ([]store.Event, error) {
	var out []store.Event
	for _, e := range u.events {
		if e.Seq > after && len(out) < limit {
			out = append(out, e.Clone())
		}
	}
	return out, u.ready(ctx)
}

func (u *modelUnit) AppendEvent(ctx context.Context, e store.Event) error {
	if err := u.begin(ctx, e); err != nil {
		return err
	}
	u.seq++
	e = e.Clone()
	e.Seq = u.seq
	u.events = append(u.events, e)
	return nil
}

func (u *modelUnit) DropEvents(ctx context.Context, through int64) (int, error) {
	if err := u.ready(ctx); err != nil {
		return 0, err
	}
	n := len(u.events)
	u.events = slices.DeleteFunc(u.events, func(e store.Event) bool { return e.Seq <= through })
	return n - len(u.events), nil
}

func (u *modelUnit) Generation(ctx context.Context) (uint64, error) {
	return u.generation, u.ready(ctx)
}

// Lock has nothing to do: units run one after another.
func (u *modelUnit) Lock(ctx context.Context, name string) error {
	if err := u.ready(ctx); err != nil {
		return err
	}
	if len(name) == 0 || len(name) > 200 {
		return &store.InvalidError{Field: "name", Reason: "must have 1 to 200 bytes"}
	}
	return nil
}

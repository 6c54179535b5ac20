package usermgmt

import (
	"context"
	"errors"
	"log/slog"
)

// refuse logs why a credential was not accepted and returns what its owner may
// know: [ErrUnauthenticated]. The attributes name who it is if that is known. Of
// what was given they hold nothing, not even a name that is nobody's: people
// type passwords into the wrong field.
func (m *Manager) refuse(ctx context.Context, level slog.Level, event string, attrs ...slog.Attr) error {
	m.log(ctx, level, event, attrs...)
	return ErrUnauthenticated
}

// whoever names a user, if it is known which one.
func whoever(id UserID) []slog.Attr {
	if id == "" {
		return nil
	}
	return []slog.Attr{slog.String("user", string(id))}
}

// denied returns err, and logs it if it says that the actor lacks a right.
func (m *Manager) denied(ctx context.Context, level slog.Level, err error) error {
	var refusal *ForbiddenError
	if err == nil || !errors.As(err, &refusal) {
		return err
	}
	m.log(ctx, level, "right.refused", slog.String("cause", refusal.Error()), slog.String("actor", m.actor.String()))
	return err
}

// log writes one record, with where the caller is if that is known.
func (m *Manager) log(ctx context.Context, level slog.Level, event string, attrs ...slog.Attr) {
	if m.from.IsValid() {
		attrs = append(attrs, slog.String("from", m.from.String()))
	}
	m.opts.Logger.LogAttrs(ctx, level, event, append(attrs, slog.String("realm", string(m.realm)))...)
}

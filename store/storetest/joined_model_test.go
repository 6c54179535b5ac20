package storetest

import (
	"context"
	"errors"
	"maps"
	"sync/atomic"

	"github.com/usermgmt-go/usermgmt/store"
)

// joinedModel is a transaction on the model: it works on a copy of each realm
// that it meets, which the commit puts in place. What it can do wrong is named
// by its faults.
type joinedModel struct {
	m      *model
	faults map[string]bool
	copies map[store.Realm]*data

	running, over bool
	closed        atomic.Bool
}

// beginJoined begins a transaction on an empty model, which has the faults.
func beginJoined(faults ...string) Joined {
	x := &joinedModel{m: newModel(), faults: map[string]bool{}, copies: map[store.Realm]*data{}}
	for _, f := range faults {
		x.faults[f] = true
	}
	x.m.writing <- struct{}{}
	return Joined{Store: x, Outside: x.m, Commit: func() error { return x.end(true) }, Rollback: func() error { return x.end(false) }}
}

func (x *joinedModel) end(commit bool) error {
	if x.over {
		return store.ErrDone
	}
	x.over = true
	defer func() { <-x.m.writing }()
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	for r, d := range x.copies {
		switch {
		case commit && x.faults["commit loses a realm"] && r == other:
		case commit:
			x.m.realms[r] = d
		case x.faults["rollback keeps events"] && len(d.events) > 0:
			kept := newData()
			kept.events, kept.seq = d.events, d.seq
			x.m.realms[r] = kept
		case x.faults["rollback keeps the generation"] && d.generation > 0:
			kept := newData()
			kept.generation = d.generation
			x.m.realms[r] = kept
		}
	}
	return nil
}

// open begins a unit, which must leave, and returns its data.
func (x *joinedModel) open(ctx context.Context, r store.Realm) (*data, error) {
	if err := r.Check(); err != nil {
		return nil, err
	}
	switch {
	case x.closed.Load():
		return nil, store.ErrClosed
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case x.running && !x.faults["units nest"]:
		return nil, store.ErrBusy
	case x.over && !x.faults["outlives its transaction"]:
		return nil, store.ErrDone
	}
	x.running = true
	if x.copies[r] == nil {
		x.m.mu.Lock()
		defer x.m.mu.Unlock()
		if d := x.m.realms[r]; d != nil {
			x.copies[r] = d.clone()
		} else {
			x.copies[r] = newData()
		}
	}
	return x.copies[r], nil
}

func (x *joinedModel) leave() { x.running = false }

func (x *joinedModel) View(ctx context.Context, r store.Realm, fn func(store.Reader) error) error {
	d, err := x.open(ctx, r)
	if err != nil {
		return err
	}
	defer x.leave()
	if x.faults["views read outside"] {
		return x.m.View(ctx, r, fn)
	}
	u := &joinedModelUnit{modelUnit{data: d}, x}
	defer func() { u.modelUnit.ended = true }()
	return fn(u)
}

func (x *joinedModel) Update(ctx context.Context, r store.Realm, fn func(store.Tx) error) (err error) {
	d, err := x.open(ctx, r)
	if err != nil {
		return err
	}
	defer x.leave()
	u := &joinedModelUnit{modelUnit{data: d.clone()}, x}
	kept := false
	defer func() {
		u.modelUnit.ended = true
		switch {
		case kept || x.faults["failed units stay"] && err != nil || x.faults["panicking units stay"] && err == nil:
			x.copies[r] = u.data
		case x.faults["failed unit undoes the transaction"]:
			clear(x.copies)
		case x.faults["failed unit ends the transaction"] && !x.over:
			_ = x.end(false)
		}
		if x.faults["units commit"] && kept {
			x.m.mu.Lock()
			defer x.m.mu.Unlock()
			maps.Copy(x.m.realms, x.copies)
		}
	}()
	if err := fn(u); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil && !x.faults["done contexts are not heeded"] {
		return err
	}
	kept = true
	return nil
}

func (x *joinedModel) Generation(ctx context.Context, r store.Realm) (uint64, error) {
	if x.faults["has generations"] {
		return x.m.Generation(ctx, r)
	}
	return 0, errors.ErrUnsupported
}

func (x *joinedModel) Close() error {
	x.closed.Store(true)
	switch {
	case x.faults["close commits"] && !x.over:
		_ = x.end(true)
	case x.faults["close rolls back"] && !x.over:
		_ = x.end(false)
	}
	return nil
}

type joinedModelUnit struct {
	modelUnit
	x *joinedModel
}

func (u *joinedModelUnit) Generation(ctx context.Context) (uint64, error) {
	if err := u.ready(ctx); err != nil {
		return 0, err
	}
	if u.x.faults["readers have generations"] {
		return u.data.generation, nil
	}
	return 0, errors.ErrUnsupported
}

func (u *joinedModelUnit) AppendEvent(ctx context.Context, e store.Event) error {
	if u.x.faults["events are written outside"] {
		if err := u.begin(ctx, e); err != nil {
			return err
		}
		u.x.m.mu.Lock()
		defer u.x.m.mu.Unlock()
		d := u.x.m.realms[realm]
		if d == nil {
			d = newData()
		}
		out := &modelUnit{data: d.clone()}
		if err := out.AppendEvent(ctx, e); err != nil {
			return err
		}
		u.x.m.realms[realm] = out.data
	}
	return u.modelUnit.AppendEvent(ctx, e)
}

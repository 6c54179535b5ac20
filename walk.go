package usermgmt

import (
	"sync"
	"time"
)

// walks remembers where pages ended, so that walks by offset go on by cursor:
// without gaps and repeats, and at the same cost at any depth. It is a memory
// of convenience: what it has forgotten is counted afresh.
type walks struct {
	mu    sync.Mutex
	marks map[mark]ending
}

// mark is an offset in a list as one actor sees it.
type mark struct {
	realm  Realm
	actor  Actor
	list   string
	offset int64
}

type ending struct {
	after string
	at    time.Time
}

const (
	maxWalks = 4096
	walkTTL  = 10 * time.Minute
)

// walk is one page of a walk.
type walk struct {
	m    *Manager
	list string
	page Page
}

func (m *Manager) walk(list string, p Page) walk { return walk{m, list, p} }

func (w walk) mark(offset int64) mark {
	return mark{w.m.realm, w.m.actor, w.list, offset}
}

// start returns the cursor after which the page begins, empty for the list's
// beginning. at gives the id of the entry before whom n others stand.
func (w walk) start(at func(n int64) (string, error)) (string, error) {
	if w.page.Offset == 0 {
		return w.page.After, nil
	}
	ws := &w.m.derived.walks
	ws.mu.Lock()
	e, ok := ws.marks[w.mark(w.page.Offset)]
	ws.mu.Unlock()
	if ok && w.m.opts.Clock().Sub(e.at) < walkTTL {
		return e.after, nil
	}
	return at(w.page.Offset - 1)
}

// done notes where a page of n entries ended, if there is a next one.
func (w walk) done(n int, next string) {
	if next == "" || w.page.After != "" {
		return
	}
	ws := &w.m.derived.walks
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.marks == nil {
		ws.marks = map[mark]ending{}
	}
	if len(ws.marks) >= maxWalks {
		for k := range ws.marks {
			delete(ws.marks, k)
			break
		}
	}
	ws.marks[w.mark(w.page.Offset+int64(n))] = ending{next, w.m.opts.Clock()}
}

package exchange

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// Members returns the names of an answer's members in JSON, sorted, with spaces
// between them.
func Members(t testing.TB, answer any) string {
	t.Helper()
	data, err := json.Marshal(answer)
	require.NoError(t, err)
	var members map[string]any
	require.NoError(t, json.Unmarshal(data, &members))
	return strings.Join(slices.Sorted(maps.Keys(members)), " ")
}

// Log collects what is logged. Any number of goroutines may write to it and
// read it at once.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements [io.Writer].
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String returns all that was logged so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

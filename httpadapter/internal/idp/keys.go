package idp

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	// keysAge is how long fetched keys are used unasked.
	keysAge = 5 * time.Minute
	// keysLife is how long they are used while they cannot be fetched anew.
	keysLife = time.Hour
	// fetchPause lies between two fetches, so that tokens with made-up key ids do
	// not make us pester the provider.
	fetchPause = 30 * time.Second
	// fetchTime bounds a fetch without which nothing can be verified, and
	// refreshTime one of keys that are known.
	fetchTime   = 10 * time.Second
	refreshTime = 2 * time.Second
	maxKeys     = 1 << 20 // bytes of a key set
)

// keySet is a provider's key set, fetched when it is needed: there is no
// goroutine behind it.
type keySet struct {
	config Config
	client *http.Client
	// fetching is held by who fetches; others wait for him.
	fetching chan struct{}

	mu      sync.Mutex
	keys    []jose.JSONWebKey
	fetched time.Time // when keys were had; zero before
	tried   time.Time // when they were last asked for
}

func newKeySet(c Config) *keySet {
	client := http.Client{}
	if c.Client != nil {
		client = *c.Client
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &keySet{config: c, client: &client, fetching: make(chan struct{}, 1)}
}

// find returns the key with the id. A token without one is verified by the only
// key that there is. Whoever finds that the set has aged fetches it anew; a key
// of the last hour is good for all others meanwhile.
func (s *keySet) find(ctx context.Context, id string) (any, error) {
	if key, err := s.lookUp(id); err == nil {
		return key, nil
	}
	known, knownErr := s.lastKnown(id)
	patience := fetchTime
	if knownErr == nil {
		patience = refreshTime
		select {
		case s.fetching <- struct{}{}:
		default:
			return known, nil
		}
	} else {
		select {
		case s.fetching <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	defer func() { <-s.fetching }()
	if key, err := s.lookUp(id); err == nil {
		return key, nil // whoever fetched before us brought it
	}
	if s.mayFetch() {
		if err := s.fetch(ctx, patience); err != nil && knownErr != nil {
			return nil, err
		}
	}
	return s.lastKnown(id)
}

var errUnknownKey = errors.New("its key is not the provider's")

// lookUp finds a key while the set is fresh.
func (s *keySet) lookUp(id string) (any, error) { return s.within(id, keysAge) }

// lastKnown finds a key in a set that is older.
func (s *keySet) lastKnown(id string) (any, error) { return s.within(id, keysLife) }

func (s *keySet) within(id string, age time.Duration) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fetched.IsZero() || s.config.Now().Sub(s.fetched) > age {
		return nil, errors.New("the provider's keys are not known")
	}
	if id == "" && len(s.keys) == 1 {
		return s.keys[0].Key, nil
	}
	i := slices.IndexFunc(s.keys, func(k jose.JSONWebKey) bool { return k.KeyID == id })
	if id == "" || i < 0 {
		return nil, refused(errUnknownKey)
	}
	return s.keys[i].Key, nil
}

// mayFetch reports whether the last fetch is long enough ago, and notes that
// there is one now.
func (s *keySet) mayFetch() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.config.Now()
	if !s.tried.IsZero() && now.Sub(s.tried) < fetchPause && !now.Before(s.tried) {
		return false
	}
	s.tried = now
	return true
}

// fetch replaces the set. A set without a usable key leaves the one before.
func (s *keySet) fetch(ctx context.Context, patience time.Duration) error {
	// It serves all who wait, so it does not end with the request that began it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.config.KeysURL, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Accept", "application/json")
	res, err := s.client.Do(r)
	if err != nil {
		return fmt.Errorf("fetching the provider's keys: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("fetching the provider's keys: %s", res.Status)
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, maxKeys+1))
	if err != nil {
		return fmt.Errorf("fetching the provider's keys: %w", err)
	}
	if len(data) > maxKeys {
		return fmt.Errorf("fetching the provider's keys: more than %d bytes", maxKeys)
	}
	keys, err := parseKeys(data, s.config.Algorithm)
	if err != nil {
		return fmt.Errorf("the provider's keys: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys, s.fetched = keys, s.config.Now()
	return nil
}

// parseKeys returns the public keys of a set that are for signatures of the
// algorithm. Entries of kinds that we do not know are left out (RFC 7517,
// section 5).
func parseKeys(data []byte, algorithm string) ([]jose.JSONWebKey, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(data, &set); err != nil {
		return nil, err
	}
	var keys []jose.JSONWebKey
	for _, raw := range set.Keys {
		var k jose.JSONWebKey
		if k.UnmarshalJSON(raw) != nil || !k.Valid() || !k.IsPublic() {
			continue
		}
		if k.Use != "" && k.Use != "sig" || k.Algorithm != "" && k.Algorithm != algorithm || !fits(k.Key, algorithm) {
			continue
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("none is for signatures by %s", algorithm)
	}
	return keys, nil
}

// fits reports whether a key is of the kind that the algorithm signs by: keys of
// different kinds may share an id (RFC 7517, section 4.5).
func fits(key any, algorithm string) bool {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return strings.HasPrefix(algorithm, "RS") || strings.HasPrefix(algorithm, "PS")
	case *ecdsa.PublicKey:
		return map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521()}[algorithm] == k.Curve
	case ed25519.PublicKey:
		return algorithm == string(jose.EdDSA)
	}
	return false
}

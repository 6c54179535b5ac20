package phc

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"
)

func bcryptOf(t testing.TB, password string) string {
	t.Helper()
	text, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	require.NoError(t, err)
	return string(text)
}

func TestDefault(t *testing.T) {
	t.Parallel()
	text, err := Default().Hash(nil, "correct horse")
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(text, "$argon2id$v=19$m=19456,t=2,p=1$"), text)
	h := mustParse(t, text)
	require.Equal(t, text, h.String())
	require.True(t, h.Verify("correct horse"))
	require.False(t, h.Verify("correct horsf"))
	require.False(t, h.Weaker(Default()))
	require.EqualValues(t, 19<<20, h.Memory())
	require.Equal(t, h.Memory(), Default().Memory())
	require.Len(t, h.salt, 16)
	require.Len(t, h.key, 32)
}

func TestHash(t *testing.T) {
	t.Parallel()
	// The reference implementation's vector, with its salt as randomness.
	p := Params{MemoryKiB: 256, Time: 2, Threads: 1, Salt: 8, Key: 32}
	text, err := p.Hash(strings.NewReader("somesalt"), "password")
	require.NoError(t, err)
	require.Equal(t, known["argon2id"].text, text)

	seen := map[string]bool{}
	for range 16 {
		text, err := cheap().Hash(nil, "password")
		require.NoError(t, err)
		require.False(t, seen[text], "salts differ")
		seen[text] = true
	}

	for _, password := range []string{"", " ", "pässwörd", "a\x00b", "\xff\xfe", strings.Repeat("x", 1<<16)} {
		text, err := cheap().Hash(nil, password)
		require.NoError(t, err)
		h := mustParse(t, text)
		require.True(t, h.Verify(password), "%.20q", password)
		require.False(t, h.Verify(password+"\x00"), "%.20q", password)
		require.False(t, h.Verify(password+" "), "%.20q", password)
	}
}

func TestHashWithoutRandomness(t *testing.T) {
	t.Parallel()
	cause := errors.New("no entropy")
	_, err := cheap().Hash(iotest.ErrReader(cause), "password")
	require.ErrorIs(t, err, cause)
	_, err = cheap().Hash(bytes.NewReader(make([]byte, 15)), "password")
	require.Error(t, err, "a short salt is no salt")
}

func TestParamsCheck(t *testing.T) {
	t.Parallel()
	require.NoError(t, Default().Check())
	require.NoError(t, cheap().Check())
	for name, change := range map[string]func(*Params){
		"zero":        func(p *Params) { *p = Params{} },
		"no memory":   func(p *Params) { p.MemoryKiB = 7 },
		"much memory": func(p *Params) { p.MemoryKiB = 256<<10 + 1 },
		"no time":     func(p *Params) { p.Time = 0 },
		"much time":   func(p *Params) { p.Time = 17 },
		"no threads":  func(p *Params) { p.Threads = 0 },
		"threads":     func(p *Params) { p.Threads = 17 },
		"lanes":       func(p *Params) { p.MemoryKiB, p.Threads = 31, 4 },
		"work":        func(p *Params) { p.MemoryKiB, p.Time = 256<<10, 5 },
		"short salt":  func(p *Params) { p.Salt = 7 },
		"long salt":   func(p *Params) { p.Salt = 65 },
		"short key":   func(p *Params) { p.Key = 15 },
		"long key":    func(p *Params) { p.Key = 65 },
		"less":        func(p *Params) { p.Salt = -1 },
	} {
		p := Default()
		change(&p)
		require.Error(t, p.Check(), name)
		_, err := p.Hash(nil, "password")
		require.Error(t, err, name)
	}
}

// What passes Check can be read back, whatever the bound.
func TestParamsRoundTrip(t *testing.T) {
	t.Parallel()
	for _, p := range []Params{
		{MemoryKiB: 8, Time: 1, Threads: 1, Salt: 8, Key: 16},
		{MemoryKiB: 128, Time: 16, Threads: 16, Salt: 64, Key: 64},
		{MemoryKiB: 77, Time: 3, Threads: 2, Salt: 9, Key: 17},
	} {
		text, err := p.Hash(nil, "password")
		require.NoError(t, err)
		h := mustParse(t, text)
		require.Equal(t, text, h.String())
		require.True(t, h.Verify("password"))
		require.False(t, h.Weaker(p), "not weaker than what made it")
	}
}

func TestWeaker(t *testing.T) {
	t.Parallel()
	const tail = "$c29tZXNhbHRzb21lc2FsdA$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	for text, want := range map[string]bool{
		"$argon2id$v=19$m=19456,t=2,p=1" + tail: false,
		"$argon2id$v=19$m=19456,t=3,p=1" + tail: false,
		"$argon2id$v=19$m=47104,t=1,p=1" + tail: false, // more work in one pass
		"$argon2id$v=19$m=65536,t=3,p=4" + tail: false,
		"$argon2id$v=19$m=19455,t=2,p=1" + tail: true,
		"$argon2id$v=19$m=12288,t=4,p=1" + tail: true, // more work, less memory
		"$argon2id$v=19$m=19456,t=1,p=1" + tail: true,
		"$argon2id$v=19$m=37000,t=1,p=1" + tail: true,
		known["argon2id 64 MiB"].text:           true, // its salt has 8 bytes
		known["bcrypt 2a"].text:                 true,
		known["scrypt 32 bytes"].text:           true,
		known["passlib"].text:                   true,
	} {
		require.Equal(t, want, mustParse(t, text).Weaker(Default()), text)
	}
	longer := Default()
	longer.Key = 33
	require.True(t, mustParse(t, "$argon2id$v=19$m=19456,t=2,p=1"+tail).Weaker(longer))
}

package phc

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// known are texts from elsewhere with their passwords.
var known = map[string]struct{ text, password string }{
	// github.com/P-H-C/phc-winner-argon2, src/test.c.
	"argon2id":           {"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", "password"},
	"argon2id two lanes": {"$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc", "password"},
	"argon2id 64 MiB":    {"$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", "password"},
	"argon2id one pass":  {"$argon2id$v=19$m=65536,t=1,p=1$c29tZXNhbHQ$9qWtwbpyPd3vm1rB1GThgPzZ3/ydHL92zKL+15XZypg", "password"},
	"argon2id password":  {"$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$C4TWUs9rDEvq7w3+J4umqA32aWKB1+DSiRuBfYxFj94", "differentpassword"},
	"argon2id salt":      {"$argon2id$v=19$m=65536,t=2,p=1$ZGlmZnNhbHQ$vfMrBczELrFdWP0ZsfhWsRPaHppYdP3MVEMIVlqoFBw", "password"},
	// Openwall's crypt_blowfish, wrapper.c.
	"bcrypt 2a":          {"$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"},
	"bcrypt longer":      {"$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK", "U*U*"},
	"bcrypt other salt":  {"$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a", "U*U*U"},
	"bcrypt 2y":          {"$2y$05$/OK.fbVrR/bpIqNJ5ianF.Sa7shbm4.OzKpvFnX1pQLmQW96oUlCq", "\xa3"},
	"bcrypt 2b":          {"$2b$05$/OK.fbVrR/bpIqNJ5ianF.Sa7shbm4.OzKpvFnX1pQLmQW96oUlCq", "\xa3"},
	"bcrypt no password": {"$2a$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s.", ""},
	// jBCrypt.
	"bcrypt 6": {"$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe", "a"},
	// RFC 7914, section 12.
	"scrypt 64 bytes": {
		"$scrypt$ln=14,r=8,p=1$" + std("SodiumChloride") + "$" +
			std(unhex("7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887")),
		"pleaseletmein",
	},
	// passlib's documentation.
	"scrypt 32 bytes": {"$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E", "password"},
	"passlib":         {"$pbkdf2-sha256$6400$.6UI/S.nXIk8jcbdHx3Fhg$98jZicV16ODfEsEZeYPGHU3kbrUrvUEXOPimVSQDD44", "password"},
	"passlib dots":    {"$pbkdf2-sha256$29000$N2YMIWQsBWBMae09x1jrPQ$1t8iyB2A.WF/Z5JZv.lfCIhXXN33N23OSgQYThBYRfk", "toomanysecrets"},
	"pbkdf2":          {"$pbkdf2-sha256$i=29000$N2YMIWQsBWBMae09x1jrPQ$1t8iyB2A+WF/Z5JZv+lfCIhXXN33N23OSgQYThBYRfk", "toomanysecrets"},
	"pbkdf2 length":   {"$pbkdf2-sha256$i=29000,l=32$N2YMIWQsBWBMae09x1jrPQ$1t8iyB2A+WF/Z5JZv+lfCIhXXN33N23OSgQYThBYRfk", "toomanysecrets"},
}

func std(s string) string { return base64.RawStdEncoding.EncodeToString([]byte(s)) }

func unhex(s string) string {
	var b []byte
	if _, err := fmt.Sscanf(s, "%x", &b); err != nil {
		panic(err)
	}
	return string(b)
}

// cheap is for tests that hash and do not care how well.
func cheap() Params { return Params{MemoryKiB: 64, Time: 1, Threads: 1, Salt: 16, Key: 32} }

func mustParse(t testing.TB, s string) Hash {
	t.Helper()
	h, err := Parse(s)
	require.NoError(t, err, "Parse(%q)", s)
	return h
}

func TestVerify(t *testing.T) {
	t.Parallel()
	for name, k := range known {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := mustParse(t, k.text)
			require.True(t, h.Verify(k.password), "the password verifies")
			if h.Memory() <= 1<<20 || k.password == "pleaseletmein" { // the others are slow
				require.False(t, h.Verify(k.password+"x"), "a longer one does not")
				require.False(t, h.Verify(k.password+"\x00"), "nor one with U+0000 behind it")
				require.False(t, h.Verify(" "+k.password))
			}
			canonical := h.String()
			require.Equal(t, h, mustParse(t, canonical), "the canonical text is of the same hash")
			if !strings.HasPrefix(name, "passlib") && name != "pbkdf2 length" {
				require.Equal(t, k.text, canonical)
			}
		})
	}
	require.Equal(t, known["pbkdf2"].text, mustParse(t, known["passlib dots"].text).String())
	require.Equal(t, known["pbkdf2"].text, mustParse(t, known["pbkdf2 length"].text).String())
}

func TestZeroHash(t *testing.T) {
	t.Parallel()
	var h Hash
	require.False(t, h.Verify(""))
	require.Empty(t, h.String())
	require.Zero(t, h.Memory())
	require.True(t, h.Weaker(Default()))
}

// RFC 7914 has vectors with salts and costs below what Parse accepts.
func TestDerive(t *testing.T) {
	t.Parallel()
	got, err := hashPBKDF2{1}.derive("passwd", "salt", 64)
	require.NoError(t, err)
	require.Equal(t, unhex("55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783"), string(got))
	got, err = hashPBKDF2{80_000}.derive("Password", "NaCl", 64)
	require.NoError(t, err)
	require.Equal(t, unhex("4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d"), string(got))
	got, err = hashScrypt{4, 1, 1}.derive("", "", 64)
	require.NoError(t, err)
	require.Equal(t, unhex("77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906"), string(got))
	got, err = hashScrypt{10, 8, 16}.derive("password", "NaCl", 64)
	require.NoError(t, err)
	require.Equal(t, unhex("fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640"), string(got))
}

// Two passwords must not be one for bcrypt, which cannot tell them apart.
func TestBcryptConfusions(t *testing.T) {
	t.Parallel()
	// Of 72 times 'a', made by x/crypto at cost 4.
	long := strings.Repeat("a", 72)
	h := mustParse(t, bcryptOf(t, long))
	require.True(t, h.Verify(long))
	require.False(t, h.Verify(long+"b"))
	require.False(t, h.Verify(long+strings.Repeat("b", 1<<16)))
	require.False(t, h.Verify(long[:71]))

	h = mustParse(t, bcryptOf(t, "a"))
	require.True(t, h.Verify("a"))
	require.False(t, h.Verify("a\x00"))
	require.False(t, h.Verify("a\x00a"), "the same key for Blowfish")
	require.False(t, h.Verify("a\x00b"))
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	const salt, key = "c29tZXNhbHQ", "nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	const b22, b31 = "CCCCCCCCCCCCCCCCCCCCC.", "E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"
	tail := "$" + salt + "$" + key
	for name, c := range map[string]struct {
		text string
		err  error // nil for any
	}{
		"empty":                      {"", errKind},
		"dollar":                     {"$", errKind},
		"plain text":                 {"password", errKind},
		"513 bytes":                  {"$argon2id$" + strings.Repeat("a", 503), errLong},
		"a mebibyte":                 {"$" + strings.Repeat("$", 1<<20), errLong},
		"unknown kind":               {"$argon3$v=19$m=256,t=2,p=1" + tail, errKind},
		"argon2i":                    {"$argon2i$v=19$m=256,t=2,p=1" + tail, errKind},
		"argon2d":                    {"$argon2d$v=19$m=256,t=2,p=1" + tail, errKind},
		"upper case":                 {"$Argon2id$v=19$m=256,t=2,p=1" + tail, errKind},
		"SHA-512 crypt":              {"$6$saltstring$" + key, errKind},
		"bcrypt 2x":                  {"$2x$05$" + b22 + b31, errKind},
		"bcrypt 2":                   {"$2$05$" + b22 + b31, errKind},
		"pbkdf2-sha512":              {"$pbkdf2-sha512$i=29000" + tail, errKind},
		"text before":                {" $argon2id$v=19$m=256,t=2,p=1" + tail, errKind},
		"argon2id no version":        {"$argon2id$m=256,t=2,p=1" + tail, errForm},
		"argon2id version 16":        {"$argon2id$v=16$m=256,t=2,p=1" + tail, errVersion},
		"argon2id order":             {"$argon2id$v=19$t=2,m=256,p=1" + tail, errForm},
		"argon2id missing parameter": {"$argon2id$v=19$m=256,t=2" + tail, errForm},
		"argon2id key id":            {"$argon2id$v=19$m=256,t=2,p=1,keyid=AA" + tail, errForm},
		"argon2id twice":             {"$argon2id$v=19$m=256,m=256,p=1" + tail, errForm},
		"leading zero":               {"$argon2id$v=19$m=0256,t=2,p=1" + tail, errForm},
		"plus":                       {"$argon2id$v=19$m=+256,t=2,p=1" + tail, errForm},
		"minus":                      {"$argon2id$v=19$m=-256,t=2,p=1" + tail, errForm},
		"underscore":                 {"$argon2id$v=19$m=2_56,t=2,p=1" + tail, errForm},
		"hexadecimal":                {"$argon2id$v=19$m=0x100,t=2,p=1" + tail, errForm},
		"no number":                  {"$argon2id$v=19$m=,t=2,p=1" + tail, errForm},
		"other digits":               {"$argon2id$v=19$m=٢٥٦,t=2,p=1" + tail, errForm},
		"over 32 bits":               {"$argon2id$v=19$m=4294967552,t=2,p=1" + tail, errForm},
		"over 64 bits":               {"$argon2id$v=19$m=18446744073709551872,t=2,p=1" + tail, errForm},
		"argon2id memory":            {"$argon2id$v=19$m=262145,t=1,p=1" + tail, nil},
		"argon2id all memory":        {"$argon2id$v=19$m=4294967295,t=1,p=1" + tail, nil},
		"argon2id little memory":     {"$argon2id$v=19$m=15,t=1,p=2" + tail, nil},
		"argon2id no time":           {"$argon2id$v=19$m=256,t=0,p=1" + tail, nil},
		"argon2id time":              {"$argon2id$v=19$m=256,t=17,p=1" + tail, nil},
		"argon2id no threads":        {"$argon2id$v=19$m=256,t=1,p=0" + tail, nil},
		"argon2id threads":           {"$argon2id$v=19$m=256,t=1,p=17" + tail, nil},
		"argon2id 257 threads":       {"$argon2id$v=19$m=4096,t=1,p=257" + tail, nil},
		"argon2id work":              {"$argon2id$v=19$m=262144,t=5,p=1" + tail, errWork},
		"no salt":                    {"$argon2id$v=19$m=256,t=2,p=1$$" + key, errSalt},
		"salt of 7":                  {"$argon2id$v=19$m=256,t=2,p=1$" + std("1234567") + "$" + key, errSalt},
		"salt of 65":                 {"$argon2id$v=19$m=256,t=2,p=1$" + std(strings.Repeat("s", 65)) + "$" + key, errSalt},
		"no key":                     {"$argon2id$v=19$m=256,t=2,p=1$" + salt + "$", errKey},
		"no key field":               {"$argon2id$v=19$m=256,t=2,p=1$" + salt, errForm},
		"key of 15":                  {"$argon2id$v=19$m=256,t=2,p=1$" + salt + "$" + std("123456789012345"), errKey},
		"key of 65":                  {"$argon2id$v=19$m=256,t=2,p=1$" + salt + "$" + std(strings.Repeat("k", 65)), errKey},
		"one field more":             {"$argon2id$v=19$m=256,t=2,p=1" + tail + "$", errForm},
		"padding":                    {"$argon2id$v=19$m=256,t=2,p=1" + tail + "=", errKey},
		"URL alphabet":               {"$argon2id$v=19$m=256,t=2,p=1$" + salt + "$" + strings.ReplaceAll(key, "/", "_"), errKey},
		"dots beside pbkdf2":         {"$argon2id$v=19$m=256,t=2,p=1$" + salt + "$" + strings.ReplaceAll(key, "/", "."), errKey},
		"stray bits":                 {"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHR$" + key, errSalt},
		"line feed":                  {"$argon2id$v=19$m=256,t=2,p=1" + tail + "\n", errKey},
		"line feed inside":           {"$argon2id$v=19$m=256,t=2,p=1$c29t\nZXNhbHQ$" + key, errSalt},
		"space inside":               {"$argon2id$v=19$m=256, t=2,p=1" + tail, errForm},
		"U+0000":                     {"$argon2id$v=19$m=256,t=2,p=1" + tail + "\x00", errKey},
		"bcrypt cost 3":              {"$2a$03$" + b22 + b31, nil},
		"bcrypt cost 15":             {"$2a$15$" + b22 + b31, nil},
		"bcrypt cost 31":             {"$2a$31$" + b22 + b31, nil},
		"bcrypt cost 00":             {"$2a$00$" + b22 + b31, nil},
		"bcrypt cost 5":              {"$2a$5$" + b22 + b31, errForm},
		"bcrypt cost 005":            {"$2a$005$" + b22 + b31, errForm},
		"bcrypt cost +5":             {"$2a$+5$" + b22 + b31, errForm},
		"bcrypt short":               {"$2a$05$" + b22 + b31[:30], errBcrypt},
		"bcrypt long":                {"$2a$05$" + b22 + b31 + ".", errBcrypt},
		"bcrypt salt alone":          {"$2a$05$" + b22, errBcrypt},
		"bcrypt alphabet":            {"$2a$05$" + b22 + "+" + b31[1:], errBcrypt},
		"bcrypt stray bits of salt":  {"$2a$05$" + b22[:21] + "/" + b31, errBcrypt},
		"bcrypt stray bits of hash":  {"$2a$05$" + b22 + b31[:30] + "X", errBcrypt},
		"bcrypt line feed":           {"$2a$05$" + b22 + b31 + "\n", errBcrypt},
		"bcrypt one field more":      {"$2a$05$" + b22 + b31 + "$", errForm},
		"scrypt no ln":               {"$scrypt$ln=0,r=8,p=1" + tail, nil},
		"scrypt ln":                  {"$scrypt$ln=19,r=1,p=1" + tail, nil},
		"scrypt r":                   {"$scrypt$ln=10,r=17,p=1" + tail, nil},
		"scrypt no r":                {"$scrypt$ln=10,r=0,p=1" + tail, nil},
		"scrypt p":                   {"$scrypt$ln=10,r=8,p=17" + tail, nil},
		"scrypt no p":                {"$scrypt$ln=10,r=8,p=0" + tail, nil},
		"scrypt memory":              {"$scrypt$ln=18,r=9,p=1" + tail, errWork},
		"scrypt work":                {"$scrypt$ln=17,r=8,p=3" + tail, errWork},
		"scrypt N":                   {"$scrypt$n=16,r=8,p=1" + tail, errForm},
		"scrypt key of 31":           {"$scrypt$ln=10,r=8,p=1$" + salt + "$" + std(strings.Repeat("k", 31)), errStretch},
		"scrypt no key":              {"$scrypt$ln=10,r=8,p=1$" + salt, errForm},
		"pbkdf2 few":                 {"$pbkdf2-sha256$i=999" + tail, nil},
		"pbkdf2 many":                {"$pbkdf2-sha256$i=5000001" + tail, nil},
		"pbkdf2 many for two blocks": {"$pbkdf2-sha256$i=2500001$" + salt + "$" + std(strings.Repeat("k", 64)), errWork},
		"pbkdf2 key of 20":           {"$pbkdf2-sha256$i=29000$" + salt + "$" + std(strings.Repeat("k", 20)), errStretch},
		"pbkdf2 other length":        {"$pbkdf2-sha256$i=29000,l=64" + tail, errStretch},
		"pbkdf2 length 0":            {"$pbkdf2-sha256$i=29000,l=0" + tail, errStretch},
		"pbkdf2 no name":             {"$pbkdf2-sha256$=29000" + tail, errForm},
		"pbkdf2 other name":          {"$pbkdf2-sha256$c=29000" + tail, errForm},
		"pbkdf2 leading zero":        {"$pbkdf2-sha256$029000" + tail, errForm},
		"pbkdf2 nothing":             {"$pbkdf2-sha256$" + tail, errForm},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, err := Parse(c.text)
			require.Error(t, err, "Parse(%q)", c.text)
			if c.err != nil {
				require.ErrorIs(t, err, c.err)
			}
			require.Equal(t, Hash{}, h)
		})
	}
}

func TestParseAcceptsBounds(t *testing.T) {
	t.Parallel()
	s64, k64, k32 := std(strings.Repeat("s", 64)), std(strings.Repeat("k", 64)), std(strings.Repeat("k", 32))
	for text, memory := range map[string]int64{
		"$argon2id$v=19$m=262144,t=4,p=16$" + s64 + "$" + k64:          256 << 20,
		"$argon2id$v=19$m=65536,t=16,p=1$" + s64 + "$" + k64:           64 << 20,
		"$argon2id$v=19$m=8,t=1,p=1$" + s64 + "$" + k64[:22-1] + "A":   8 << 10,
		"$scrypt$ln=18,r=8,p=1$" + s64 + "$" + k64:                     256<<20 + 128*24,
		"$scrypt$ln=17,r=8,p=2$" + s64 + "$" + k64:                     128<<20 + 128*32,
		"$scrypt$ln=1,r=1,p=1$" + s64 + "$" + k32:                      128 * 5,
		"$pbkdf2-sha256$i=5000000$" + s64 + "$" + k32:                  4 << 10,
		"$pbkdf2-sha256$i=2500000$" + s64 + "$" + k64:                  4 << 10,
		"$pbkdf2-sha256$1000$" + s64 + "$" + k32:                       4 << 10,
		"$2b$14$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW": 8 << 10,
	} {
		h := mustParse(t, text)
		require.Equal(t, memory, h.Memory(), text)
		require.LessOrEqual(t, len(text), MaxText)
	}
}

// A text that lost its end is refused, or is of another hash, for every length.
func TestTruncation(t *testing.T) {
	t.Parallel()
	for name, k := range map[string]struct{ text, password string }{
		"argon2id": known["argon2id"],
		"bcrypt":   known["bcrypt 2a"],
		"pbkdf2":   known["pbkdf2"],
		"passlib":  known["passlib"],
		"scrypt":   {hashScrypt{10, 8, 1}.sample("password"), "password"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.True(t, mustParse(t, k.text).Verify(k.password))
			for n := range len(k.text) {
				if h, err := Parse(k.text[:n]); err == nil {
					require.False(t, h.Verify(k.password), "%q", k.text[:n])
				}
			}
		})
	}
}

// sample is a text with a fixed salt.
func (s hashScrypt) sample(password string) string {
	key, err := s.derive(password, "somesalt", 32)
	if err != nil {
		panic(err)
	}
	return s.text("somesalt", string(key))
}

func TestErrorsHoldNoHash(t *testing.T) {
	t.Parallel()
	for _, k := range known {
		secret := k.text[strings.LastIndexByte(k.text, '$')+1:]
		for _, s := range []string{k.text + "$", k.text + "!", "x" + k.text, strings.Replace(k.text, "$", "$$", 1)} {
			_, err := Parse(s)
			require.Error(t, err, s)
			require.NotContains(t, err.Error(), secret)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Fuzz(func(t *testing.T, s string) {
		h, err := Parse(s)
		if err != nil {
			if h != (Hash{}) || err.Error() == "" {
				t.Fatalf("Parse(%q) = %v, %v", s, h, err)
			}
			return
		}
		text := h.String()
		again, err := Parse(text)
		if err != nil || again != h || again.String() != text {
			t.Fatalf("Parse(%q) is %q, read again %q, %v", s, text, again, err)
		}
		if !strings.HasPrefix(s, "$pbkdf2-sha256$") && text != s {
			t.Fatalf("Parse(%q) is %q: two texts of one hash", s, text)
		}
		if m := h.Memory(); m <= 0 || m > 257<<20 {
			t.Fatalf("Parse(%q) needs %d bytes", s, m)
		}
		if len(h.salt) < minSalt || len(h.key) < minKey || bytes.ContainsAny([]byte(text), "\x00\r\n ") {
			t.Fatalf("Parse(%q) is %q", s, text)
		}
	})
}

package wire

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// parser walks one JSON text once. Its methods begin at the first byte of what
// they are named for and end behind its last.
type parser struct {
	data    []byte
	pos     int
	depth   int
	path    []step // where pos is, for messages
	inName  bool   // pos is in the name of a member of that
	decoder *Decoder

	maxDepth, maxItems, maxString int
}

// step is a member, or an element if name is nil.
type step struct {
	name  *string
	index int
}

func (p *parser) space() {
	for p.pos < len(p.data) {
		switch p.data[p.pos] {
		case ' ', '\t', '\r', '\n':
			p.pos++
		default:
			return
		}
	}
}

// peek returns the next byte, or 0 at the end: no JSON token begins with either.
func (p *parser) peek() byte {
	if p.pos < len(p.data) {
		return p.data[p.pos]
	}
	return 0
}

// literal takes one of true, false, null.
func (p *parser) literal(word string) error {
	if rest := p.data[p.pos:]; len(rest) < len(word) || string(rest[:len(word)]) != word {
		return p.malformed("unknown word")
	}
	p.pos += len(word)
	return nil
}

// number takes a number and returns its text.
func (p *parser) number() (string, error) {
	start := p.pos
	if p.peek() == '-' {
		p.pos++
	}
	switch c := p.peek(); {
	case c == '0':
		p.pos++
	case !p.digits():
		return "", p.malformed("bad number")
	}
	if p.peek() == '.' {
		p.pos++
		if !p.digits() {
			return "", p.malformed("bad number")
		}
	}
	if c := p.peek(); c == 'e' || c == 'E' {
		p.pos++
		if c := p.peek(); c == '+' || c == '-' {
			p.pos++
		}
		if !p.digits() {
			return "", p.malformed("bad number")
		}
	}
	return string(p.data[start:p.pos]), nil
}

func (p *parser) digits() bool {
	start := p.pos
	for c := p.peek(); '0' <= c && c <= '9'; c = p.peek() {
		p.pos++
	}
	return p.pos > start
}

// str takes a string and returns its text, which may alias the input.
func (p *parser) str() ([]byte, error) {
	p.pos++
	var text []byte // what is decoded so far; nil until the first escape
	plain := p.pos  // since when bytes stand for themselves
	for p.pos < len(p.data) {
		switch c := p.data[p.pos]; {
		case c == '"':
			if text == nil {
				text = p.data[plain:p.pos]
			} else {
				text = append(text, p.data[plain:p.pos]...)
			}
			p.pos++
			if len(text) > p.maxString {
				return nil, p.errorf("must not exceed %d bytes", p.maxString)
			}
			return text, nil
		case c == '\\':
			if text == nil {
				text = make([]byte, 0, 64)
			}
			text = append(text, p.data[plain:p.pos]...)
			r, err := p.escape()
			if err != nil {
				return nil, err
			}
			text = utf8.AppendRune(text, r)
			plain = p.pos
		case c < ' ':
			return nil, p.malformed("control character in a string")
		case c < utf8.RuneSelf:
			p.pos++
		default:
			r, size := utf8.DecodeRune(p.data[p.pos:])
			if r == utf8.RuneError && size == 1 {
				return nil, p.errorf("must be valid UTF-8")
			}
			p.pos += size
		}
	}
	return nil, p.malformed("unfinished string")
}

// escape takes a backslash and what belongs to it.
func (p *parser) escape() (rune, error) {
	p.pos++
	c := p.peek()
	p.pos++
	switch c {
	case '"', '\\', '/':
		return rune(c), nil
	case 'b':
		return '\b', nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case 'u':
	default:
		p.pos--
		return 0, p.malformed("bad escape")
	}
	r, ok := p.hex4()
	if !ok {
		return 0, p.malformed("bad escape")
	}
	if utf16.IsSurrogate(r) {
		if p.pos+2 > len(p.data) || p.data[p.pos] != '\\' || p.data[p.pos+1] != 'u' {
			return 0, p.errorf("must not contain half of a surrogate pair")
		}
		p.pos += 2
		low, ok := p.hex4()
		if !ok {
			return 0, p.malformed("bad escape")
		}
		if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
			return 0, p.errorf("must not contain half of a surrogate pair")
		}
	}
	if r == 0 {
		return 0, p.errorf("must not contain U+0000")
	}
	return r, nil
}

func (p *parser) hex4() (rune, bool) {
	if p.pos+4 > len(p.data) {
		return 0, false
	}
	n := rune(0)
	for _, c := range p.data[p.pos : p.pos+4] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		n = n<<4 | rune(c)
	}
	p.pos += 4
	return n, true
}

// malformed is the error for what is not JSON at all.
func (p *parser) malformed(what string) error {
	if p.pos >= len(p.data) {
		return p.errorf("malformed JSON: unexpected end")
	}
	return p.errorf("malformed JSON at byte %d: %s", p.pos, what)
}

// errorf is an error about the value at pos. Without a path it is about the body.
func (p *parser) errorf(format string, args ...any) error {
	e := Invalidf(p.where(), format, args...)
	if strings.HasPrefix(e.Detail, "must ") {
		switch {
		case p.inName:
			e.Detail = "member names " + e.Detail
		case e.Field == "":
			e.Detail = "body " + e.Detail
		}
	}
	return e
}

// where writes the path: roles[2].name. The caller's own names are cut and
// quoted unless they are plain.
func (p *parser) where() string {
	var b strings.Builder
	for _, s := range p.path {
		if s.name == nil {
			b.WriteString("[" + strconv.Itoa(s.index) + "]")
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(showName(*s.name))
	}
	return b.String()
}

const maxShownName = 64

func showName(name string) string {
	cut := name
	if len(cut) > maxShownName {
		cut = strings.ToValidUTF8(cut[:maxShownName], "") + "…"
	}
	plain := func(c rune) bool {
		return c == '_' || c == '-' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
	}
	if cut == name && name != "" && !strings.ContainsFunc(name, func(c rune) bool { return !plain(c) }) {
		return name
	}
	return strconv.QuoteToASCII(cut)
}

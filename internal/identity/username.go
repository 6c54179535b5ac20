package identity

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// MaxUsername is the greatest length of a username, and of its key, in characters (code points).
const MaxUsername = 256

var (
	errLongUsername = errors.New("must have at most 256 characters")
	errDisguised    = errors.New("must write an e-mail address in its plain form")
)

// FoldUsername returns the canonical form of a username.
//
// Most usernames are e-mail addresses. One that [FoldEmail] accepts has the
// key that FoldEmail gives it, so A@EXÄMPLE.com and a@xn--exmple-cua.com are
// the same username. Any other folds by the profile UsernameCaseMapped of RFC
// 8265: width, then case, then composition (NFC). It is a single userpart of that
// RFC, without spaces; "a@b@c" is one.
//
// A text that is not an e-mail address but would fold into one, such as one
// with a full-width '@', is refused, so that no username takes an address's key.
func FoldUsername(s string) (string, error) {
	if s == "" {
		return "", errEmpty
	}
	if len(s) > MaxUsername*utf8.UTFMax {
		return "", errLongUsername
	}
	if !utf8.ValidString(s) {
		return "", errUTF8
	}
	if utf8.RuneCountInString(s) > MaxUsername {
		return "", errLongUsername
	}
	if strings.Contains(s, "@") {
		if key, _, err := FoldEmail(s); err == nil {
			return key, nil
		}
	}
	key, err := fold(s)
	if err != nil {
		return "", err
	}
	// Case mapping can lengthen: İ becomes i and a combining dot.
	if utf8.RuneCountInString(key) > MaxUsername {
		return "", errLongUsername
	}
	if strings.Contains(key, "@") {
		if _, _, err := FoldEmail(key); err == nil {
			return "", errDisguised
		}
	}
	return key, nil
}

package usermgmt

import (
	"fmt"
	"log/slog"
)

// What a caller hands in with a secret is printed without it, and logged without
// it where it is the value of an attribute. As JSON it has its secret, a Snapshot above all,
// and so it has within a list that slog's JSON handler encodes.

// hidden stands for a secret, if there is one.
func hidden(secret string) string {
	if secret == "" {
		return ""
	}
	return "(hidden)"
}

// Format prints all but the password.
func (n NewUser) Format(f fmt.State, verb rune) {
	type plain NewUser
	n.Password, n.PasswordHash = hidden(n.Password), hidden(n.PasswordHash)
	fmt.Fprintf(f, fmt.FormatString(f, verb), plain(n))
}

// LogValue is all but the password.
func (n NewUser) LogValue() slog.Value { return slog.StringValue(fmt.Sprintf("%+v", n)) }

// Format prints all but the secret.
func (n NewKey) Format(f fmt.State, verb rune) {
	type plain NewKey
	n.Secret = hidden(n.Secret)
	fmt.Fprintf(f, fmt.FormatString(f, verb), plain(n))
}

// LogValue is all but the secret.
func (n NewKey) LogValue() slog.Value { return slog.StringValue(fmt.Sprintf("%+v", n)) }

// Format prints all but the secret.
func (n NewVendor) Format(f fmt.State, verb rune) {
	type plain NewVendor
	n.Secret = hidden(n.Secret)
	fmt.Fprintf(f, fmt.FormatString(f, verb), plain(n))
}

// LogValue is all but the secret.
func (n NewVendor) LogValue() slog.Value { return slog.StringValue(fmt.Sprintf("%+v", n)) }

// Format prints all but the password.
func (s SnapshotUser) Format(f fmt.State, verb rune) {
	type plain SnapshotUser
	s.Password, s.PasswordHash = hidden(s.Password), hidden(s.PasswordHash)
	fmt.Fprintf(f, fmt.FormatString(f, verb), plain(s))
}

// LogValue is all but the password.
func (s SnapshotUser) LogValue() slog.Value { return slog.StringValue(fmt.Sprintf("%+v", s)) }

// Format prints all but the secret.
func (s SnapshotVendor) Format(f fmt.State, verb rune) {
	type plain SnapshotVendor
	s.ClientSecret = hidden(s.ClientSecret)
	fmt.Fprintf(f, fmt.FormatString(f, verb), plain(s))
}

// LogValue is all but the secret.
func (s SnapshotVendor) LogValue() slog.Value { return slog.StringValue(fmt.Sprintf("%+v", s)) }

// Format prints all but the secret.
func (s SnapshotKey) Format(f fmt.State, verb rune) {
	type plain SnapshotKey
	s.Key = hidden(s.Key)
	fmt.Fprintf(f, fmt.FormatString(f, verb), plain(s))
}

// LogValue is all but the secret.
func (s SnapshotKey) LogValue() slog.Value { return slog.StringValue(fmt.Sprintf("%+v", s)) }

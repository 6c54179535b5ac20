package session

import (
	"time"

	"github.com/usermgmt-go/usermgmt"
)

type signInRequest struct {
	Username string `json:"username" wire:"required"`
	Password string `json:"password" wire:"required"`
}

type refreshRequest struct {
	RefreshToken string `json:"refresh_token" wire:"required"`
}

type passwordRequest struct {
	Password    string `json:"password" wire:"required"`
	NewPassword string `json:"new_password" wire:"required"`
}

// tokensResponse is RFC 6749 section 5.1, and one member of ours.
type tokensResponse struct {
	AccessToken            string `json:"access_token"`
	TokenType              string `json:"token_type"`
	ExpiresIn              int64  `json:"expires_in"` // seconds
	RefreshToken           string `json:"refresh_token,omitempty"`
	PasswordChangeRequired bool   `json:"password_change_required,omitempty"`
}

// tokenRequest is RFC 6749 section 4.4.2, as form parameters. The credentials
// may be in the Authorization header instead.
type tokenRequest struct {
	GrantType    string `json:"grant_type" wire:"required"`
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	Scope        string `json:"scope"`
}

// clientTokenResponse is RFC 6749 section 4.4.3.
type clientTokenResponse struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int64  `json:"expires_in"` // seconds
	Scope       string `json:"scope,omitempty"`
}

func tokensOf(t usermgmt.Tokens) tokensResponse {
	return tokensResponse{
		AccessToken: t.AccessToken, TokenType: "Bearer", ExpiresIn: int64(t.ExpiresIn / time.Second),
		RefreshToken: t.RefreshToken, PasswordChangeRequired: t.PasswordChangeRequired,
	}
}

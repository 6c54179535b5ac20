package httpadapter

import (
	"net/http"
	"net/netip"
)

// RemoteAddress returns the address that the request's connection comes from,
// for Options.ClientAddress of servers without a proxy before them; the zero
// Addr if it has none, as on a Unix socket.
func RemoteAddress(r *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr()
}

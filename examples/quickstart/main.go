// Quickstart creates a user with a role, signs him in, and asks what he may do.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/memstore"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, out io.Writer) error {
	key, err := usermgmt.GenerateSigningKey(nil) // keep it: tokens verify against it
	if err != nil {
		return err
	}
	m, err := usermgmt.New(memstore.New(), usermgmt.Options{SigningKeys: []usermgmt.SigningKey{key}})
	if err != nil {
		return err
	}
	defer m.Close()
	ada, err := m.CreateUser(ctx, usermgmt.NewUser{
		Username: "ada@example.com", FirstName: "Ada", Password: "difference engine",
		Grants: []usermgmt.Grant{{Role: usermgmt.RoleReadOnly, Kind: usermgmt.ScopeRealm}},
	})
	if err != nil {
		return err
	}
	tokens, err := m.SignIn(ctx, "Ada@Example.com", "difference engine")
	if err != nil {
		return err
	}
	actor, err := m.Authenticate(ctx, tokens.AccessToken) // on each request
	if err != nil {
		return err
	}
	for _, p := range []usermgmt.Permission{usermgmt.UsersRead, usermgmt.UsersDelete} {
		ok, err := m.As(actor).Can(ctx, p, usermgmt.Realmwide)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s may %s: %v\n", ada.FirstName, p, ok)
	}
	return nil
}

// Quickstart creates a user with a role, signs him in, and asks what he may do.
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/memstore"
)

func main() {
	ctx := context.Background()
	key := must(usermgmt.GenerateSigningKey(nil)) // keep it: tokens verify against it
	m := must(usermgmt.New(memstore.New(), usermgmt.Options{SigningKeys: []usermgmt.SigningKey{key}}))

	ada := must(m.CreateUser(ctx, usermgmt.NewUser{
		Username: "ada@example.com", FirstName: "Ada", Password: "difference engine",
		Grants: []usermgmt.Grant{{Role: usermgmt.RoleReadOnly, Kind: usermgmt.ScopeRealm}},
	}))
	tokens := must(m.SignIn(ctx, "Ada@Example.com", "difference engine"))

	actor := must(m.Authenticate(ctx, tokens.AccessToken)) // on each request
	for _, p := range []usermgmt.Permission{usermgmt.UsersRead, usermgmt.UsersDelete} {
		fmt.Println(ada.FirstName, "may", p, must(m.As(actor).Can(ctx, p, usermgmt.Realmwide)))
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}

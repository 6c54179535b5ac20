package socotra

import "github.com/usermgmt-go/usermgmt/httpadapter/internal/fault"

// words are those of the Manager's errors in this dialect.
var words = fault.Words{Member: member, Missing: "no such user or role"}

// member is the text's name for a field of the Manager's, "" for one that it
// does not know.
func member(field string) string {
	switch field {
	case "username", "UsernameKey":
		return "userName"
	case "EmailKey":
		return "email"
	case "Name":
		return "name"
	case "limit":
		return "count"
	case "firstName", "lastName", "email", "roles", "tenants", "permissions", "password",
		"name", "description", "removePermissions", "removeTenants", "offset":
		return field
	}
	return ""
}

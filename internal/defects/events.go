package main

// eventDefects leave an event out, or say less in it.
func eventDefects() []defect {
	const folder, test = "internal/faulttest", "TestEventsOfEveryCall"
	return []defect{
		{"a member leaves without an event", "member.go", "	return g.recordMember(ctx, \"member.removed\", ms, nil)", "	return nil", folder, test},
		{"a role changes without an event", "role.go",
			"	return Role(r), g.record(ctx, Event{Action: \"role.updated\", Object: \"role:\" + string(r.ID), Fields: fields})", "	return Role(r), nil", folder, test},
		{"sessions end without an event", "session.go",
			"		return g.record(ctx, Event{Action: \"sessions.deleted\", Object: \"user:\" + string(user)})", "		return nil", folder, test},
		{"who loses a deleted role is not told", "owner.go", "		if err := g.recordMember(ctx, \"member.updated\", ms, []string{\"role\"}); err != nil {", "		if err := ctx.Err(); err != nil {", folder, test},
		{"an event is of no organization", "provision.go", "Object: \"user:\" + string(t.UserID), OrganizationID: t.OrganizationID})", "Object: \"user:\" + string(t.UserID)})", folder, test},
	}
}

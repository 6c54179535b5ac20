package usermgmt

// StreamOptions adjust [Manager.ExportTo] and [Manager.ApplyFrom]. Nil and zero
// values mean the defaults.
type StreamOptions struct {
	// Progress is told how far the stream has come: by ExportTo with every 500
	// entries that are written, by ApplyFrom with every unit of work that is
	// committed, and by both at the end of a stream that went well. It runs on the
	// caller's goroutine, and whatever it does the stream waits for.
	Progress func(StreamProgress)
	// Batch is how many entries ApplyFrom applies in one unit of work at most, 1
	// to 10,000; 500 if 0. Members and API keys of organizations count as entries.
	Batch int
}

// complete returns the options with their defaults.
func (o *StreamOptions) complete() (StreamOptions, error) {
	c := value(o)
	if c.Progress == nil {
		c.Progress = func(StreamProgress) {}
	}
	if c.Batch == 0 {
		c.Batch = batch
	}
	if c.Batch < 0 || c.Batch > MaxPage {
		return c, invalid("Batch", "must be 1 to 10000")
	}
	return c, nil
}

// StreamProgress counts the entries of each list of a Snapshot that have been
// written by ExportTo, or applied and committed by ApplyFrom. Applied entries
// count whether they changed something or not.
type StreamProgress struct {
	Permissions, Tenants, Roles, Users, Vendors, Organizations, Grants int
	// Members and APIKeys are those of all organizations.
	Members, APIKeys int
}

// count counts an entry as export gives it.
func (p *StreamProgress) count(entry any) {
	switch entry.(type) {
	case Permission:
		p.Permissions++
	case SnapshotTenant:
		p.Tenants++
	case SnapshotRole:
		p.Roles++
	case SnapshotUser:
		p.Users++
	case SnapshotVendor:
		p.Vendors++
	case SnapshotOrganization:
		p.Organizations++
	case SnapshotMember:
		p.Members++
	case SnapshotKey:
		p.APIKeys++
	case SnapshotUserGrants:
		p.Grants++
	}
}

// all is the number of entries.
func (p *StreamProgress) all() int {
	return p.Permissions + p.Tenants + p.Roles + p.Users + p.Vendors + p.Organizations + p.Grants + p.Members + p.APIKeys
}

package record

import "github.com/usermgmt-go/usermgmt/store"

// EncodeEvent returns the value of a record.
func EncodeEvent(v store.Event) []byte {
	e := encode()
	e.time(v.At)
	e.text(v.Actor, v.Action, v.Object, string(v.OrganizationID))
	list(e, v.Fields)
	return e.b
}

// DecodeEvent returns the record of a value, or [ErrDamaged].
func DecodeEvent(b []byte) (store.Event, error) { return decode(b, readEvent) }

func readEvent(d *decoder) store.Event {
	return store.Event{
		At: d.time(), Actor: d.text(), Action: d.text(), Object: d.text(), OrganizationID: store.OrganizationID(d.text()),
		Fields: unlist[string](d),
	}
}

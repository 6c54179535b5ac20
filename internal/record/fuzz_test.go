package record

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"runtime/metrics"
	"testing"

	"github.com/usermgmt-go/usermgmt/store"
)

// trial decodes a value as one noun's and returns what it encodes back to.
type trial struct {
	noun string
	// seed is the value of a record without an empty field.
	seed []byte
	// again returns the record, and the value that it encodes to.
	again func(b []byte) (record any, value []byte, err error)
}

func trialOf[T any](noun string, encode func(T) []byte, decode func([]byte) (T, error)) trial {
	var full T
	random(rand.New(rand.NewPCG(3, 4)), reflect.ValueOf(&full).Elem())
	return trial{noun, encode(full), func(b []byte) (any, []byte, error) {
		v, err := decode(b)
		return v, encode(v), err
	}}
}

// trials are those of every noun.
func trials() []trial {
	return []trial{
		trialOf("user", EncodeUser, DecodeUser),
		trialOf("credential", EncodeCredential, DecodeCredential),
		trialOf("organization", EncodeOrganization, DecodeOrganization),
		trialOf("membership", EncodeMembership, DecodeMembership),
		trialOf("role", EncodeRole, DecodeRole),
		trialOf("tenant", EncodeTenant, DecodeTenant),
		trialOf("vendor", EncodeVendor, DecodeVendor),
		trialOf("secret", EncodeSecret, DecodeSecret),
		trialOf("key", EncodeKey, DecodeKey),
		trialOf("session", EncodeSession, DecodeSession),
		trialOf("token", EncodeToken, DecodeToken),
		trialOf("event", EncodeEvent, DecodeEvent),
	}
}

// allocated returns the bytes that were allocated so far, but for the last few
// kilobytes of small objects, which are counted later.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// maxPerByte bounds what decoding may allocate for a byte of the value: a list
// of empty entries costs the most, of which a grant is the greatest.
const maxPerByte = 96

// FuzzDecode reads any bytes as any noun. They are [ErrDamaged], or a record that
// encodes to a value of no greater length, which decodes to the same record and
// encodes to itself. Memory is bounded by the length.
func FuzzDecode(f *testing.F) {
	all := trials()
	for i, each := range all {
		f.Add(uint8(i), each.seed)
		f.Add(uint8(i), each.seed[:len(each.seed)/2])
		f.Add(uint8(i), []byte{layout, 0xff, 0xff, 0xff, 0xff, 0x7f})                                        // a length beyond the end
		f.Add(uint8(i), append([]byte{layout}, bytes.Repeat([]byte{0xff}, 10)...))                           // a number without end
		f.Add(uint8(i), append([]byte{layout}, make([]byte, 64)...))                                         // nothing but empty fields
		f.Add(uint8(i), append(append([]byte{layout}, make([]byte, 11)...), bytes.Repeat([]byte{9}, 40)...)) // lists that claim what is left
	}
	// The one longest list of all: as many empty grants as there are bytes.
	f.Add(uint8(0), append(EncodeUser(store.User{})[:13], append([]byte{0xe0, 0x1f}, make([]byte, 4<<10)...)...))
	f.Fuzz(func(t *testing.T, noun uint8, b []byte) {
		subject := all[int(noun)%len(all)]
		given := bytes.Clone(b)
		before := allocated()
		record, value, err := subject.again(b)
		if took := allocated() - before; took > uint64(maxPerByte*len(b)+1<<20) {
			t.Fatalf("%s: %d bytes of memory for a value of %d", subject.noun, took, len(b))
		}
		if !bytes.Equal(given, b) {
			t.Fatalf("%s: decoding changed the value", subject.noun)
		}
		if err != nil {
			if err != ErrDamaged {
				t.Fatalf("%s: %v", subject.noun, err)
			}
			return
		}
		if len(value) > len(b) {
			t.Fatalf("%s: a value of %d bytes became one of %d", subject.noun, len(b), len(value))
		}
		same, twice, err := subject.again(value)
		if err != nil || !bytes.Equal(value, twice) || !reflect.DeepEqual(record, same) {
			t.Fatalf("%s: %x gives %+v, which comes back as %+v, %v", subject.noun, b, record, same, err)
		}
	})
}

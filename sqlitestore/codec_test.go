package sqlitestore

import (
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt/store"
)

// random fills every field of a record, whatever fields there are: one that
// the encoding forgets comes back empty.
func random(r *rand.Rand, v reflect.Value) {
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.UnixMicro(r.Int64N(4e15) - 2e15).UTC()))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			random(r, v.Field(i))
		}
	case reflect.Slice, reflect.Array:
		if v.Kind() == reflect.Slice {
			v.Set(reflect.MakeSlice(v.Type(), 1+r.IntN(3), 4))
		}
		for i := range v.Len() {
			random(r, v.Index(i))
		}
	case reflect.String:
		b := make([]byte, 1+r.IntN(200))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		v.SetString(string(b))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint8:
		v.SetUint(1 + r.Uint64N(255))
	case reflect.Int64:
		v.SetInt(r.Int64() - r.Int64())
	default:
		panic(v.Kind())
	}
}

func roundTrip[T any](t *testing.T, encode func(T) []byte, read func(*decoder) T, ignore ...func(*T)) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		var zero, want T
		random(r, reflect.ValueOf(&want).Elem())
		for _, f := range ignore {
			f(&want)
		}
		for _, v := range []T{want, zero} {
			b := encode(v)
			d := decode(b)
			got := read(d)
			require.NoError(t, d.done())
			require.Equal(t, v, got)

			// A value that is cut short, longer, or of a later layout is an error, and never a panic.
			for n := range b {
				d := decode(b[:n])
				read(d)
				require.Error(t, d.done(), "cut to %d of %d bytes", n, len(b))
			}
			d = decode(append(b, 0))
			read(d)
			require.Error(t, d.done())
			b[0]++
			d = decode(b)
			read(d)
			require.Error(t, d.done())
		}
	}
}

func TestRecordsKeepEveryField(t *testing.T) {
	t.Parallel()
	roundTrip(t, encodeUser, decodeUser)
	roundTrip(t, encodeCredential, decodeCredential)
	roundTrip(t, encodeOrganization, decodeOrganization)
	roundTrip(t, encodeMembership, decodeMembership)
	roundTrip(t, encodeRole, decodeRole)
	roundTrip(t, encodeTenant, decodeTenant)
	roundTrip(t, encodeVendor, decodeVendor)
	roundTrip(t, encodeSecret, decodeSecret)
	roundTrip(t, encodeKey, decodeKey)
	roundTrip(t, encodeSession, decodeSession)
	roundTrip(t, encodeToken, decodeToken)
	roundTrip(t, encodeEvent, decodeEvent, func(e *store.Event) { e.Seq = 0 }) // a column of its own
}

func TestTimesKeepTheFirstMomentOf1970(t *testing.T) {
	t.Parallel()
	for _, want := range []time.Time{{}, time.UnixMicro(0).UTC(), time.UnixMicro(-1).UTC(), time.UnixMicro(1).UTC()} {
		e := encode()
		e.time(want)
		require.Equal(t, want, decode(e.b).time())
	}
}

func FuzzDecodeUser(f *testing.F) {
	f.Add(encodeUser(benchUser(1)))
	f.Fuzz(func(t *testing.T, b []byte) {
		d := decode(b)
		u := decodeUser(d)
		if d.done() == nil {
			d := decode(encodeUser(u))
			require.Equal(t, u, decodeUser(d))
		}
	})
}

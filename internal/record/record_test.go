package record

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

func roundTrip[T any](t *testing.T, encode func(T) []byte, decode func([]byte) (T, error), ignore ...func(*T)) {
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
			got, err := decode(b)
			require.NoError(t, err)
			require.Equal(t, v, got)

			// A value that is cut short, longer, or of a later layout is an error, and never a panic.
			for n := range b {
				_, err := decode(b[:n])
				require.ErrorIs(t, err, ErrDamaged, "cut to %d of %d bytes", n, len(b))
			}
			_, err = decode(append(b, 0))
			require.ErrorIs(t, err, ErrDamaged)
			b[0]++
			_, err = decode(b)
			require.ErrorIs(t, err, ErrDamaged)
		}
	}
}

func TestRecordsKeepEveryField(t *testing.T) {
	t.Parallel()
	roundTrip(t, EncodeUser, DecodeUser)
	roundTrip(t, EncodeCredential, DecodeCredential)
	roundTrip(t, EncodeOrganization, DecodeOrganization)
	roundTrip(t, EncodeMembership, DecodeMembership)
	roundTrip(t, EncodeRole, DecodeRole)
	roundTrip(t, EncodeTenant, DecodeTenant)
	roundTrip(t, EncodeVendor, DecodeVendor)
	roundTrip(t, EncodeSecret, DecodeSecret)
	roundTrip(t, EncodeKey, DecodeKey)
	roundTrip(t, EncodeSession, DecodeSession)
	roundTrip(t, EncodeToken, DecodeToken)
	roundTrip(t, EncodeFailures, DecodeFailures)
	roundTrip(t, EncodeEvent, DecodeEvent, func(e *store.Event) { e.Seq = 0 }) // a column of its own
}

func TestTimesKeepTheFirstMomentOf1970(t *testing.T) {
	t.Parallel()
	for _, want := range []time.Time{{}, time.UnixMicro(0).UTC(), time.UnixMicro(-1).UTC(), time.UnixMicro(1).UTC()} {
		e := encode()
		e.time(want)
		got, err := decode(e.b, (*decoder).time)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

package cache

import (
	"crypto/sha256"
	"encoding"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"sync"
)

// A value in Redis begins with its kind (one byte) and a version (19 digits: Lua has no 64-bit integers, so it compares
// versions as text). The rest depends on the kind:
//
//   - entry: the Redis run that stored it (16 bytes), the shape of its bytes (8 bytes), those bytes;
//   - fill token (put by a reader that loads) and tombstone (put by an invalidation): a unique token (16 bytes). The
//     version is the lowest version that may replace it.
const (
	kindEntry     = 'E'
	kindFillToken = 'F'
	kindTombstone = 'T'

	versionEnd = 1 + 19
	headEnd    = versionEnd + 16 // the scripts read the value up to here
	entryStart = headEnd + 8
)

const noVersion = "0000000000000000000"

func versionText(version int64) string { return fmt.Sprintf("%019d", version) }

func encodeEntry(version int64, run, shape string, payload []byte) []byte {
	entry := make([]byte, 0, entryStart+len(payload))
	entry = append(entry, kindEntry)
	entry = append(entry, versionText(version)...)
	entry = append(entry, run...)
	entry = append(entry, shape...)
	return append(entry, payload...)
}

func newToken() string { return fmt.Sprintf("%016x", rand.Uint64()) }

// slot is the decoded value under a key.
type slot struct {
	payload []byte // that of an entry of this run and shape; nil: no usable entry
	token   string // the fill token or tombstone that a new entry may replace; "": none
	head    string // the head that a new fill token may replace
	version string // the version in the value, or noVersion
}

func decode(raw []byte, run, shape string) slot {
	f := slot{head: string(raw[:min(len(raw), headEnd)]), version: noVersion}
	if len(raw) < headEnd || strings.Trim(string(raw[1:versionEnd]), "0123456789") != "" {
		return f
	}
	f.version = string(raw[1:versionEnd])
	switch {
	case raw[0] == kindEntry && len(raw) >= entryStart &&
		string(raw[versionEnd:headEnd]) == run && string(raw[headEnd:entryStart]) == shape:
		f.payload = raw[entryStart:]
	case (raw[0] == kindFillToken || raw[0] == kindTombstone) && len(raw) == headEnd:
		f.token = f.head
	}
	return f
}

var shapes sync.Map // shapeKey → string

type shapeKey struct {
	of     reflect.Type
	format string
}

// Shape returns a fingerprint of the JSON of T in a format. It depends on the names, tags and types of all fields,
// nested ones included, and on the name of the format. "" is plain JSON.
func Shape[T any](format string) string {
	key := shapeKey{reflect.TypeFor[T](), format}
	if shape, ok := shapes.Load(key); ok {
		return shape.(string) //nolint:errcheck,forcetypeassert // only strings are stored
	}
	var b strings.Builder
	b.WriteString(format)
	describe(&b, key.of, map[reflect.Type]bool{})
	sum := sha256.Sum256([]byte(b.String()))
	shape := hex.EncodeToString(sum[:entryStart-headEnd])[:entryStart-headEnd]
	shapes.Store(key, shape)
	return shape
}

func describe(b *strings.Builder, t reflect.Type, seen map[reflect.Type]bool) {
	fmt.Fprintf(b, "%s.%s %s", t.PkgPath(), t.Name(), t.Kind())
	pointer := reflect.PointerTo(t)
	if seen[t] || pointer.Implements(reflect.TypeFor[json.Marshaler]()) ||
		pointer.Implements(reflect.TypeFor[encoding.TextMarshaler]()) {
		return
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Map:
		b.WriteString("[")
		describe(b, t.Key(), seen)
		b.WriteString("]")
		describe(b, t.Elem(), seen)
	case reflect.Pointer, reflect.Slice, reflect.Array:
		b.WriteString(" ")
		describe(b, t.Elem(), seen)
	case reflect.Struct:
		b.WriteString("{")
		for f := range t.Fields() {
			if f.IsExported() || f.Anonymous {
				fmt.Fprintf(b, "%s `%s` ", f.Name, f.Tag.Get("json"))
				describe(b, f.Type, seen)
				b.WriteString(";")
			}
		}
		b.WriteString("}")
	}
}

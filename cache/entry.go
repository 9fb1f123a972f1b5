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

// What is under a key begins with its kind (one byte) and a version (19 digits, so that Lua, which has no 64-bit integers,
// compares it exactly as text). Then comes, in
//
//   - an entry: the Redis run it was stored in (16), the shape of its type (8), the JSON;
//   - a claim, by a reader that is loading, or a marker, by an invalidation: a token (16) that is never used again. The
//     version is the least one that may be stored in its place.
const (
	isEntry  = 'E'
	isClaim  = 'C'
	isMarker = 'M'

	versionEnd = 1 + 19
	prefixEnd  = versionEnd + 16 // the part of it that scripts look at
	entryStart = prefixEnd + 8
)

const noVersion = "0000000000000000000"

func versionText(version int64) string { return fmt.Sprintf("%019d", version) }

func encodeEntry(version int64, run, shape string, payload []byte) []byte {
	entry := make([]byte, 0, entryStart+len(payload))
	entry = append(entry, isEntry)
	entry = append(entry, versionText(version)...)
	entry = append(entry, run...)
	entry = append(entry, shape...)
	return append(entry, payload...)
}

func newToken() string { return fmt.Sprintf("%016x", rand.Uint64()) }

// found is what was under a key.
type found struct {
	payload []byte // the JSON of an entry of this run and shape; nil: it is none
	claim   string // a claim or marker, which a value may take the place of; "": there is none
	prefix  string // what a claim may take the place of
	version string // the version in it, or noVersion
}

func decode(raw []byte, run, shape string) found {
	f := found{prefix: string(raw[:min(len(raw), prefixEnd)]), version: noVersion}
	if len(raw) < prefixEnd || strings.Trim(string(raw[1:versionEnd]), "0123456789") != "" {
		return f
	}
	f.version = string(raw[1:versionEnd])
	switch {
	case raw[0] == isEntry && len(raw) >= entryStart && string(raw[versionEnd:prefixEnd]) == run && string(raw[prefixEnd:entryStart]) == shape:
		f.payload = raw[entryStart:]
	case (raw[0] == isClaim || raw[0] == isMarker) && len(raw) == prefixEnd:
		f.claim = f.prefix
	}
	return f
}

var shapes sync.Map // reflect.Type → string

// shapeOf is a fingerprint of how T looks in JSON: it changes with the names, tags and types of the fields, all the way down.
func shapeOf[T any]() string {
	t := reflect.TypeFor[T]()
	if shape, ok := shapes.Load(t); ok {
		return shape.(string) //nolint:errcheck,forcetypeassert // only strings are stored
	}
	var b strings.Builder
	describe(&b, t, map[reflect.Type]bool{})
	sum := sha256.Sum256([]byte(b.String()))
	shape := hex.EncodeToString(sum[:entryStart-prefixEnd])[:entryStart-prefixEnd]
	shapes.Store(t, shape)
	return shape
}

func describe(b *strings.Builder, t reflect.Type, seen map[reflect.Type]bool) {
	fmt.Fprintf(b, "%s.%s %s", t.PkgPath(), t.Name(), t.Kind())
	pointer := reflect.PointerTo(t)
	if seen[t] || pointer.Implements(reflect.TypeFor[json.Marshaler]()) || pointer.Implements(reflect.TypeFor[encoding.TextMarshaler]()) {
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

package query

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/contextvault/contextvault/cache"
	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/vault"
)

// Document is a profile as JSON: what Profile returns, encoded.
type Document struct {
	JSON []byte
	// ETag is a strong entity tag, with its quotes: two documents with the same tag have the same bytes.
	ETag string
	// ValueBytes is the size of the values and of the metadata of their sources.
	ValueBytes int
}

// ProfileDocument is Profile for a caller that needs the JSON: a document from the cache is not decoded.
func (q *Queries) ProfileDocument(ctx context.Context, tenant, customer uuid.UUID) (Document, error) {
	g, err := q.guard(ctx, tenant)
	if err != nil {
		return Document{}, err
	}
	if g != nil && g.restricts {
		p, err := q.Profile(ctx, tenant, customer)
		if err != nil {
			return Document{}, err
		}
		return encodeDocument(p)
	}
	s, err := q.stored(ctx, tenant, customer)
	if err != nil {
		return Document{}, err
	}
	if err := s.encode(); err != nil {
		return Document{}, err
	}
	out, err := s.document(ctx, q.sealer, tenant)
	if err != nil {
		return Document{}, err
	}
	for name := range s.names() {
		g.note(customer, name)
	}
	return out, nil
}

// profileHistory is what DocumentWithHistory adds to a profile.
type profileHistory struct {
	History   []vault.Value `json:"history,omitempty"`
	Truncated bool          `json:"history_truncated,omitempty"`
	// WithheldVersions are the fields with versions that are not shown.
	WithheldVersions []vault.Withheld `json:"history_withheld,omitempty"`
}

// DocumentWithHistory is ProfileDocument with the newest versions of all fields, up to MaxPage: history and
// history_truncated.
func (q *Queries) DocumentWithHistory(ctx context.Context, tenant, customer uuid.UUID) (Document, error) {
	d, err := q.ProfileDocument(ctx, tenant, customer)
	if err != nil {
		return d, err
	}
	var added profileHistory
	added.History, added.Truncated, err = q.HistoryPage(ctx, tenant, customer, "", nil, MaxPage)
	added.WithheldVersions = Withheld(ctx)
	if err != nil || (len(added.History) == 0 && len(added.WithheldVersions) == 0) {
		return d, err
	}
	members, err := cache.EncodeJSON(added)
	if err != nil {
		return d, fmt.Errorf("encode the history of customer %s", customer) // the cause may quote a value
	}
	d.JSON = slices.Concat(bytes.TrimSuffix(d.JSON, []byte("}")), []byte(","), bytes.TrimPrefix(members, []byte("{")))
	digest := sha256.Sum256(d.JSON)
	d.ETag = etag(digest[:])
	return d, nil
}

func etag(digest []byte) string { return `"` + hex.EncodeToString(digest) + `"` }

// stored is a profile as the cache stores it: its encrypted values are sealed. It has the profile, the bytes or both.
//
// The bytes are a header and the JSON of the profile. The header has the digest of the JSON (digestSize bytes), the
// size of the values that are not sealed (8 bytes), the size of the names (4 bytes), the number of sealed parts
// (4 bytes), and for each sealed part, in the order of the JSON, its offset and its length in the JSON (4 bytes each),
// the id of its item (16 bytes), and what it is of the item (1 byte). The names of the fields in the JSON follow, with
// commas between them, for the audit.
type stored struct {
	profile *vault.Profile
	bytes   []byte
}

const (
	// digestSize is half of SHA-256, which is enough to tell the versions of one profile apart.
	digestSize = 16
	sealsStart = digestSize + 8 + 4 + 4
	sealSize   = 4 + 4 + 16 + 1
)

var storedCodec = cache.Codec[*stored]{
	Shape: cache.Shape[vault.Profile]("document 3"),
	Encode: func(s *stored) ([]byte, error) {
		err := s.encode()
		return s.bytes, err
	},
	Decode: func(b []byte) (*stored, error) {
		s := &stored{bytes: b}
		if len(b) < sealsStart || len(b) < s.jsonStart() {
			return nil, errors.New("the stored profile is too short")
		}
		return s, nil
	},
}

func (s *stored) digest() [digestSize]byte { return [digestSize]byte(s.bytes) }

func (s *stored) seals() int { return int(binary.BigEndian.Uint32(s.bytes[sealsStart-4:])) }

func (s *stored) namesStart() int { return sealsStart + s.seals()*sealSize }

func (s *stored) jsonStart() int {
	return s.namesStart() + int(binary.BigEndian.Uint32(s.bytes[sealsStart-8:]))
}

func (s *stored) json() []byte { return s.bytes[s.jsonStart():] }

// names iterates over the names of the fields in the JSON, and vault.AuditedChannels if channels are in it.
func (s *stored) names() iter.Seq[string] {
	return strings.SplitSeq(string(s.bytes[s.namesStart():s.jsonStart()]), ",")
}

// namesOf returns the names of the fields of a profile, and vault.AuditedChannels if it has channels, with commas
// between them.
func namesOf(p *vault.Profile) string {
	var names []string
	for v := range valuesOf(p) {
		names = append(names, v.Name)
	}
	if len(p.Channels) > 0 {
		names = append(names, vault.AuditedChannels)
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ",")
}

// encode makes the bytes, if they are not there yet.
func (s *stored) encode() error {
	if s.bytes != nil {
		return nil
	}
	text, err := cache.EncodeJSON(s.profile)
	if err != nil {
		return fmt.Errorf("encode profile %s", s.profile.ID) // the cause may quote a value
	}
	digest := sha256.Sum256(text)
	plain := 0
	var seals []seal
	for v := range valuesOf(s.profile) {
		if !v.Encrypted {
			plain += len(v.Value) + len(v.SourceMetadata)
			continue
		}
		for _, part := range sealedParts(v) {
			at := bytes.Index(text, slices.Concat(part.member, part.text, part.after))
			if at < 0 {
				return fmt.Errorf("encode profile %s: the sealed value of item %s is not in it", s.profile.ID, v.ID)
			}
			seals = append(seals, seal{
				offset: at + len(part.member), length: len(part.text), item: v.ID, part: part.part,
			})
		}
		if !db.IsSealedMetadata(v.SourceMetadata) {
			plain += len(v.SourceMetadata)
		}
	}
	slices.SortFunc(seals, func(a, b seal) int { return a.offset - b.offset })
	names := namesOf(s.profile)
	head := append(make([]byte, 0, sealsStart+len(seals)*sealSize+len(names)), digest[:digestSize]...)
	head = binary.BigEndian.AppendUint64(head, uint64(plain))      //nolint:gosec // a size
	head = binary.BigEndian.AppendUint32(head, uint32(len(names))) //nolint:gosec // as above
	head = binary.BigEndian.AppendUint32(head, uint32(len(seals))) //nolint:gosec // at most the values of a profile
	for _, seal := range seals {
		head = seal.append(head)
	}
	s.bytes = slices.Concat(head, []byte(names), text)
	return nil
}

// The parts of a sealed value.
const (
	valuePart byte = iota
	metadataPart
	notePart
)

// sealedPart is a part of a sealed value in the JSON of its profile: the member, its text, and what follows. All are
// there once: a ciphertext is random, and one that was copied into another value would not open there.
type sealedPart struct {
	part                byte
	member, text, after []byte
}

func sealedParts(v *vault.Value) []sealedPart {
	parts := []sealedPart{{valuePart, []byte(`"value":`), v.Value, []byte(`,"encrypted":true`)}}
	if db.IsSealedMetadata(v.SourceMetadata) {
		parts = append(parts, sealedPart{part: metadataPart, member: []byte(`"source_metadata":`), text: v.SourceMetadata})
	}
	if v.DecisionNote != "" {
		text, _ := json.Marshal(v.DecisionNote) // texts always encode
		parts = append(parts, sealedPart{part: notePart, member: []byte(`"decision_note":`), text: text})
	}
	return parts
}

// valuesOf iterates over the values of a profile that may be sealed.
func valuesOf(p *vault.Profile) func(yield func(*vault.Value) bool) {
	return func(yield func(*vault.Value) bool) {
		for _, v := range p.Fields {
			if !yield(&v) {
				return
			}
		}
		for i := range p.Pending {
			if !yield(&p.Pending[i]) {
				return
			}
		}
	}
}

// seal is the position of a sealed value in the JSON of a profile.
type seal struct {
	offset, length int
	item           uuid.UUID
	part           byte
}

func (s seal) append(to []byte) []byte {
	to = binary.BigEndian.AppendUint32(to, uint32(s.offset)) //nolint:gosec // PostgreSQL returns at most 1 GiB
	to = binary.BigEndian.AppendUint32(to, uint32(s.length)) //nolint:gosec // as above
	return append(append(to, s.item[:]...), s.part)
}

// sealAt returns the seal with an index.
func (s *stored) sealAt(i int) seal {
	at := s.bytes[sealsStart+i*sealSize:]
	return seal{
		offset: int(binary.BigEndian.Uint32(at)), length: int(binary.BigEndian.Uint32(at[4:])), item: uuid.UUID(at[8:24]),
		part: at[24],
	}
}

// document returns the document with its sealed values opened. Without any, its JSON is that of s.bytes.
func (s *stored) document(ctx context.Context, sealer *db.Sealer, tenant uuid.UUID) (Document, error) {
	digest, text := s.digest(), s.json()
	out := Document{
		JSON: text, ETag: etag(digest[:]),
		ValueBytes: int(binary.BigEndian.Uint64(s.bytes[digestSize:])), //nolint:gosec // a size
	}
	n := s.seals()
	if n == 0 {
		return out, nil
	}
	opened, done := make([]byte, 0, len(text)), 0
	for i := range n {
		at := s.sealAt(i)
		if at.offset < done || at.offset+at.length > len(text) {
			return Document{}, errors.New("the positions of the sealed values in a stored profile are wrong")
		}
		plain, err := at.open(ctx, sealer, tenant, text[at.offset:at.offset+at.length])
		if err != nil {
			return Document{}, err
		}
		if at.part != notePart {
			out.ValueBytes += len(plain)
		}
		opened = append(append(opened, text[done:at.offset]...), plain...)
		done = at.offset + at.length
	}
	opened = append(opened, text[done:]...)
	out.JSON = opened
	return out, nil
}

// open returns the JSON of a part.
func (s seal) open(ctx context.Context, sealer *db.Sealer, tenant uuid.UUID, text []byte) ([]byte, error) {
	switch s.part {
	case metadataPart:
		return sealer.OpenMetadata(ctx, tenant, s.item, text)
	case notePart:
		var note string
		if err := json.Unmarshal(text, &note); err != nil {
			return nil, fmt.Errorf("decode the note of item %s", s.item)
		}
		note, err := sealer.OpenNote(ctx, tenant, s.item, note)
		if err != nil {
			return nil, err
		}
		return cache.EncodeJSON(note)
	default:
		v := vault.Value{ID: s.item, Encrypted: true, Value: text}
		err := sealer.OpenValue(ctx, tenant, &v)
		return v.Value, err
	}
}

const (
	// maxDecoded and maxDecodedBytes bound the memory of decodedProfiles: about 50 MB for profiles of the largest size.
	maxDecoded      = 512
	maxDecodedBytes = 32 << 10
)

// decodedProfiles has the profiles that this process decoded last, with their encrypted values sealed. It saves the
// decoding, not the read: every reader still gets the bytes of Redis, and uses the profile that was decoded from them.
// It is safe for concurrent use.
type decodedProfiles struct {
	byDigest *lru.Cache[decodedKey, *vault.Profile]
}

// decodedKey is part of the key for the tenant, although two tenants cannot have the same JSON.
type decodedKey struct {
	tenant uuid.UUID
	digest [digestSize]byte
}

func newDecodedProfiles() decodedProfiles {
	byDigest, err := lru.New[decodedKey, *vault.Profile](maxDecoded)
	if err != nil {
		panic(err) // only for a size below 1
	}
	return decodedProfiles{byDigest}
}

// decode returns the profile of stored bytes. The caller may change the maps and slices of the profile itself, and not
// what its values and assets point to.
func (d decodedProfiles) decode(tenant uuid.UUID, s *stored) (vault.Profile, error) {
	if s.profile != nil {
		return *s.profile, nil
	}
	key := decodedKey{tenant, s.digest()}
	profile, ok := d.byDigest.Get(key)
	if !ok {
		profile = &vault.Profile{}
		if err := json.Unmarshal(s.json(), profile); err != nil {
			return vault.Profile{}, errors.New("decode a stored profile") // the cause may quote a value
		}
		if len(s.bytes) > maxDecodedBytes {
			return *profile, nil
		}
		d.byDigest.Add(key, profile)
	}
	out := *profile
	out.Fields = maps.Clone(profile.Fields)
	out.Pending = slices.Clone(profile.Pending)
	out.Assets = slices.Clone(profile.Assets)
	out.Channels = slices.Clone(profile.Channels)
	out.Consents = slices.Clone(profile.Consents)
	out.MergedCustomers = slices.Clone(profile.MergedCustomers)
	return out, nil
}

package db

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

// SealVersion seals a version whose field is sealed: its value, the metadata of its source, which can quote it, and the
// note of a decision. PostgreSQL and Redis hold the value and the metadata as JSON strings.
func (s *Sealer) SealVersion(ctx context.Context, owner Owner, row *dbgen.InsertValueParams) error {
	var err error
	row.Encrypted = true
	if row.Value, err = s.sealJSON(ctx, owner, row.ID, ofValue, row.Value); err != nil {
		return err
	}
	if !emptyObject(row.SourceMetadata) {
		if row.SourceMetadata, err = s.sealJSON(ctx, owner, row.ID, ofMetadata, row.SourceMetadata); err != nil {
			return err
		}
	}
	row.DecisionNote, err = s.sealNote(ctx, owner, row.ID, row.DecisionNote)
	return err
}

// SealNote seals the note of a decision about a stored version that is sealed, with the key of the version.
func (s *Sealer) SealNote(ctx context.Context, row dbgen.CustomerValue, note string) (string, error) {
	sealed, err := sealedJSON(row.Value)
	if err != nil {
		return "", openError("value of item", row.ID, err)
	}
	return s.sealNote(ctx, OwnerOf(row.TenantID, sealed), row.ID, note)
}

// SealValue seals one value. The result is a JSON string that opens only for the same item.
func (s *Sealer) SealValue(
	ctx context.Context, owner Owner, item uuid.UUID, value json.RawMessage,
) (json.RawMessage, error) {
	return s.sealJSON(ctx, owner, item, ofValue, value)
}

// The parts of a row that are sealed apart are bound to different ids, so that one does not open in place of another.
var (
	ofValue    = uuid.UUID{} // the id of the item itself
	ofMetadata = uuid.UUID{15: 1}
	ofNote     = uuid.UUID{15: 2}
)

// partOf returns the id to which a part of a row is bound.
func partOf(row, part uuid.UUID) uuid.UUID {
	for i := range row {
		row[i] ^= part[i]
	}
	return row
}

// notePrefix precedes a sealed note.
const notePrefix = "sealed:"

func (s *Sealer) sealNote(ctx context.Context, owner Owner, item uuid.UUID, note string) (string, error) {
	if note == "" {
		return "", nil
	}
	sealed, err := s.seal(ctx, owner, partOf(item, ofNote), []byte(note))
	if err != nil {
		return "", fmt.Errorf("seal the note of item %s: %w", item, err)
	}
	return notePrefix + base64.StdEncoding.EncodeToString(sealed), nil
}

func (s *Sealer) sealJSON(
	ctx context.Context, owner Owner, item, part uuid.UUID, plain json.RawMessage,
) (json.RawMessage, error) {
	sealed, err := s.seal(ctx, owner, partOf(item, part), plain)
	if err != nil {
		return nil, fmt.Errorf("seal the value of item %s: %w", item, err)
	}
	return json.Marshal(sealed)
}

func emptyObject(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "{}" }

// sealedJSON returns the ciphertext in a JSON string.
func sealedJSON(raw json.RawMessage) ([]byte, error) {
	var sealed []byte
	if json.Unmarshal(raw, &sealed) != nil {
		return nil, errAltered
	}
	return sealed, nil
}

func (s *Sealer) openJSON(
	ctx context.Context, tenant, item, part uuid.UUID, raw json.RawMessage,
) (json.RawMessage, error) {
	sealed, err := sealedJSON(raw)
	if err != nil {
		return nil, err
	}
	return s.open(ctx, tenant, partOf(item, part), sealed)
}

// IsSealedMetadata reports whether metadata is sealed: it is a JSON string then, and otherwise an object.
func IsSealedMetadata(metadata json.RawMessage) bool { return len(metadata) > 0 && metadata[0] == '"' }

// OpenMetadata returns the metadata of the source of an item, which may be sealed.
func (s *Sealer) OpenMetadata(
	ctx context.Context, tenant, item uuid.UUID, metadata json.RawMessage,
) (json.RawMessage, error) {
	if !IsSealedMetadata(metadata) {
		return metadata, nil
	}
	opened, err := s.openJSON(ctx, tenant, item, ofMetadata, metadata)
	if err != nil {
		return nil, openError("metadata of item", item, err)
	}
	return opened, nil
}

// OpenNote returns the note of a decision about an item whose field is sealed.
func (s *Sealer) OpenNote(ctx context.Context, tenant, item uuid.UUID, note string) (string, error) {
	text, ok := strings.CutPrefix(note, notePrefix)
	if !ok {
		return note, nil
	}
	sealed, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return "", openError("note of item", item, errAltered)
	}
	plain, err := s.open(ctx, tenant, partOf(item, ofNote), sealed)
	if err != nil {
		return "", openError("note of item", item, err)
	}
	return string(plain), nil
}

// OpenValue opens a value in place, with its metadata and its note. A value that is not encrypted stays unchanged.
func (s *Sealer) OpenValue(ctx context.Context, tenant uuid.UUID, v *vault.Value) error {
	if !v.Encrypted {
		return nil
	}
	opened, err := s.openJSON(ctx, tenant, v.ID, ofValue, v.Value)
	if err != nil {
		return openError("value of item", v.ID, err)
	}
	v.Value = opened
	if v.SourceMetadata, err = s.OpenMetadata(ctx, tenant, v.ID, v.SourceMetadata); err != nil {
		return err
	}
	v.DecisionNote, err = s.OpenNote(ctx, tenant, v.ID, v.DecisionNote)
	return err
}

// OpenChain opens the metadata of the links of a chain in place. The caller owns the links.
func (s *Sealer) OpenChain(ctx context.Context, tenant uuid.UUID, links []vault.ChainLink) error {
	for i := range links {
		item := links[i].ID
		if links[i].Name == "" && i+1 < len(links) { // an origin outside of the vault has the metadata of the item after it
			item = links[i+1].ID
		}
		var err error
		if links[i].Meta, err = s.OpenMetadata(ctx, tenant, item, links[i].Meta); err != nil {
			return err
		}
	}
	return nil
}

// OpenValues opens each value. It reads the keys that are not in memory in one query.
func (s *Sealer) OpenValues(ctx context.Context, tenant uuid.UUID, values []vault.Value) error {
	if err := s.PrepareValues(ctx, tenant, values); err != nil {
		return err
	}
	for i := range values {
		if err := s.OpenValue(ctx, tenant, &values[i]); err != nil {
			return err
		}
	}
	return nil
}

// PrepareValues loads the keys of the values of several customers in one query.
func (s *Sealer) PrepareValues(ctx context.Context, tenant uuid.UUID, values []vault.Value) error {
	var customers []uuid.UUID
	for _, v := range values {
		var sealed []byte
		if !v.Encrypted || json.Unmarshal(v.Value, &sealed) != nil {
			continue
		}
		if customer := OwnerOf(tenant, sealed).CustomerID; len(customers) == 0 || customers[len(customers)-1] != customer {
			customers = append(customers, customer)
		}
	}
	if len(customers) < 2 { // one is read when it is needed
		return nil
	}
	return s.Prepare(ctx, tenant, customers, false)
}

// OpenProfile opens the values of a profile in place. The caller must own the profile.
func (s *Sealer) OpenProfile(ctx context.Context, p *vault.Profile) error {
	for name, v := range p.Fields {
		if !v.Encrypted {
			continue
		}
		if err := s.OpenValue(ctx, p.TenantID, &v); err != nil {
			return err
		}
		p.Fields[name] = v
	}
	return s.OpenValues(ctx, p.TenantID, p.Pending)
}

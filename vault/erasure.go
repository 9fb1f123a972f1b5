package vault

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// DerivedAction is what an erasure does to the items of other customers that were derived from the erased ones.
type DerivedAction string

const (
	DerivedStale DerivedAction = "stale" // they stay, marked as stale, without a link to their source
	DerivedErase DerivedAction = "erase" // their values are erased as well
)

// EraseCustomerInput is the input of erase-customer. It removes everything that the vault holds of a customer and of
// the customers merged with it. It cannot be undone.
type EraseCustomerInput struct {
	CustomerID uuid.UUID `json:"customer_id" validate:"required"`
	// Derived is for items of other customers that were derived from this customer's items. Empty: DerivedStale.
	Derived DerivedAction `json:"derived,omitempty" validate:"omitempty,oneof=stale erase" doc:"What happens to items of other customers that were derived from this customer's items: stale (default) keeps them, marked as stale and without their link; erase erases their values as well."`
}

// OutlivesKey implements OutlivesKey: the erasure deletes the customer's key.
func (EraseCustomerInput) OutlivesKey() {}

// DerivedOrDefault returns Derived, or DerivedStale if it is empty.
func (in EraseCustomerInput) DerivedOrDefault() DerivedAction {
	if in.Derived == "" {
		return DerivedStale
	}
	return in.Derived
}

// EraseResult is the result of erase-customer.
type EraseResult struct {
	// ErasureID is the id of the erasure and of its receipt: that of the operation.
	ErasureID uuid.UUID `json:"erasure_id"`
	// Rows is the number of erased rows, by table.
	Rows map[string]int64 `json:"rows"`
	// Mentions is the number of rows of others, by table, in which a distinctive value of the customer still occurs.
	Mentions map[string]int64 `json:"mentions,omitempty"`
}

// Erasure is the state of an erasure.
type Erasure struct {
	ID      uuid.UUID     `json:"erasure_id"`
	State   ErasureState  `json:"state" doc:"begun: no reader sees the customer any more; erased: the rows are removed; scanned: nothing was found afterwards; finished: there is a receipt."`
	Derived DerivedAction `json:"derived"`
	// Rows and Mentions are those of EraseResult.
	Rows       map[string]int64 `json:"rows" doc:"The number of erased rows, by table."`
	Mentions   map[string]int64 `json:"mentions,omitempty" doc:"The number of rows of others, by table, in which a distinctive value of the customer still occurs. They are not erased: the value may be their own."`
	BegunAt    time.Time        `json:"begun_at"`
	FinishedAt *time.Time       `json:"finished_at,omitempty"`
	// Receipt is the signed receipt, exactly as `vault erasure verify` reads it. Empty until the erasure has finished,
	// and in lists.
	Receipt string `json:"receipt,omitempty" doc:"The signed receipt, as vault erasure verify reads it. Lists leave it out."`
}

// ErasureState is a state of an erasure.
type ErasureState string

const (
	ErasureBegun    ErasureState = "begun"    // no reader sees the customer any more
	ErasureErased   ErasureState = "erased"   // the rows are removed
	ErasureScanned  ErasureState = "scanned"  // a scan of all tables and of Redis found nothing
	ErasureFinished ErasureState = "finished" // there is a receipt
)

// ErasureReceipt is what the vault signs about an erasure. It contains counts and no personal data.
type ErasureReceipt struct {
	ErasureID uuid.UUID `json:"erasure_id"`
	TenantID  uuid.UUID `json:"tenant_id"`
	// Salt and Customer commit to the erased customer: Customer is Commitment(Salt, id). Who knows the id can check it,
	// and the receipt does not reveal it.
	Salt     string `json:"salt"`
	Customer string `json:"customer"`
	// Rows is the number of erased rows, by table. Mentions is that of EraseResult.
	Rows     map[string]int64 `json:"rows"`
	Mentions map[string]int64 `json:"mentions"`
	// Scanned lists the tables that the last scan searched. It found nothing.
	Scanned []string `json:"scanned"`
	// CacheKeys is the number of keys in Redis that the last scan read.
	CacheKeys  int64         `json:"cache_keys"`
	Derived    DerivedAction `json:"derived"`
	BegunAt    time.Time     `json:"begun_at"`
	FinishedAt time.Time     `json:"finished_at"`
}

// Commitment returns the hash of a customer id with a salt, in hexadecimal. An id is random, so it cannot be guessed
// from the hash.
func Commitment(salt string, customer uuid.UUID) string {
	sum := sha256.Sum256([]byte(salt + ":" + customer.String()))
	return hex.EncodeToString(sum[:])
}

// SignedReceipt is a receipt with its signature.
type SignedReceipt struct {
	Receipt   ErasureReceipt `json:"receipt"`
	Signature string         `json:"signature"` // of Content, in base64
}

// Content returns the bytes that are signed.
func (s SignedReceipt) Content() ([]byte, error) {
	content, err := json.Marshal(s.Receipt)
	if err != nil {
		return nil, fmt.Errorf("encode the receipt: %w", err)
	}
	return content, nil
}

// Text returns the receipt as a file. There is exactly one text of a receipt.
func (s SignedReceipt) Text() (string, error) {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return "", fmt.Errorf("encode the receipt: %w", err)
	}
	return string(text) + "\n", nil
}

// ParseReceipt reads the text of a receipt. It refuses every text that Text does not write. It does not check the
// signature.
func ParseReceipt(text []byte) (SignedReceipt, error) {
	var out SignedReceipt
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&out); err != nil {
		return out, Invalid("receipt", "is not the text of a receipt: get it with `vault erasure receipt`")
	}
	again, err := out.Text()
	if err != nil {
		return out, err
	}
	if again != string(text) {
		return out, Invalid("receipt", "the text of the receipt was changed")
	}
	return out, nil
}

// ExportCustomerInput is the input of export-customer. It records that everything the vault holds of a customer is
// handed out. The export is made when it is fetched.
type ExportCustomerInput struct {
	CustomerID uuid.UUID `json:"customer_id" validate:"required"`
}

// OutlivesKey implements OutlivesKey: the export of an unknown customer makes no key.
func (ExportCustomerInput) OutlivesKey() {}

// ExportCustomerResult is the result of export-customer.
type ExportCustomerResult struct {
	// ExportID is the id under which the export can be fetched: that of the operation.
	ExportID   uuid.UUID `json:"export_id"`
	CustomerID uuid.UUID `json:"customer_id"`
	// Rows is the number of rows, by table.
	Rows map[string]int64 `json:"rows"`
	// ExpiresAt is the time until which the export can be fetched.
	ExpiresAt time.Time `json:"expires_at"`
}

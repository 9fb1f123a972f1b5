package db_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/vault"
)

// Whatever a receipt says, it is accepted as it is, and refused with any one byte changed, added or removed.
func TestVerifyReceipt_AnyByte(t *testing.T) {
	t.Parallel()
	database := dbtest.Open(t)
	tenant, sealer := dbtest.Tenant(t, database), dbtest.Sealer(t, database)
	key, err := db.EnsureErasureKey(t.Context(), database.Tenant(tenant), sealer, tenant)
	if err != nil {
		t.Fatal(err)
	}
	ctx, public := t.Context(), []byte(key.PublicKey)
	sign := func(t rapid.TB, r vault.ErasureReceipt) []byte {
		text, err := db.SignReceipt(ctx, sealer, key, r)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.VerifyReceipt(public, []byte(text)); err != nil {
			t.Fatalf("the receipt as it was signed: %v\n%s", err, text)
		}
		return []byte(text)
	}
	refused := func(t rapid.TB, what string, at int, changed []byte) {
		if _, err := db.VerifyReceipt(public, changed); vault.CodeOf(err) != vault.CodeInvalid {
			t.Fatalf("byte %d %s: got %v\n%s", at, what, err, changed)
		}
	}
	with := func(text []byte, at int, b ...byte) []byte { // b in place of the byte at a position
		return append(append(append([]byte{}, text[:at]...), b...), text[at+1:]...)
	}
	begun := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	one := vault.ErasureReceipt{
		ErasureID: uuid.Must(uuid.NewV7()), TenantID: tenant, Salt: "00ff", Customer: vault.Commitment("00ff", uuid.Nil),
		Rows: map[string]int64{"customer_values": 7}, Mentions: map[string]int64{}, Scanned: []string{"customer_values"},
		Derived: vault.DerivedStale, BegunAt: begun, FinishedAt: begun.Add(time.Second),
	}
	text := sign(t, one)
	for at := range text { // every byte of one
		refused(t, "with its lowest bit changed", at, with(text, at, text[at]^1))
		refused(t, "with its case changed", at, with(text, at, text[at]^0x20))
		refused(t, "removed", at, with(text, at))
		refused(t, "with a space before it", at, with(text, at, ' ', text[at]))
	}
	rapid.Check(t, func(t *rapid.T) { // any byte of any
		counts := rapid.MapOf(rapid.StringMatching(`[a-z_]{1,20}`), rapid.Int64Range(0, 1<<40))
		r := one
		r.Rows, r.Mentions = counts.Draw(t, "rows"), counts.Draw(t, "mentions")
		r.CacheKeys = rapid.Int64Range(0, 1<<40).Draw(t, "keys")
		r.BegunAt = begun.Add(time.Duration(rapid.Int64Range(0, 1<<50).Draw(t, "begun")))
		text := sign(t, r)
		at := rapid.IntRange(0, len(text)-1).Draw(t, "at")
		by := rapid.ByteRange(1, 255).Draw(t, "by")
		refused(t, "changed", at, with(text, at, text[at]^by))
	})
}

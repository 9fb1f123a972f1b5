package query

import (
	"cmp"
	"context"
	"slices"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// A search for customers reads candidates by one index, in its order, and tests each of them. It reads a bounded number
// of candidates, so that a page has a bounded cost whatever the conditions are: it may have fewer customers than its
// limit, or none, and still be followed by another page.

const (
	// maxCandidates is the number of candidates of one page.
	maxCandidates = 5_000
	// maxCounted is the number of candidates of a count. vault.CustomerCount documents it.
	maxCounted = 200_000
	// countChunk is the number of candidates of one statement of a count.
	countChunk = 20_000
	// growth is the largest factor between the candidates of one statement and of the next one of a page: the first has
	// as many as the page, which is enough if all of them match.
	growth = 8
	// maxCompared bounds the candidates that are counted to find the condition with the fewest.
	maxCompared = 1_000
)

// The orders of a search, by its candidates.
const (
	byValue    = "value"    // the customers with a value
	byPrefix   = "prefix"   // those with a value that begins with a text, in the order of the values
	byAge      = "age"      // those with an old value, the oldest first
	byCustomer = "customer" // all
)

// metCondition is the kind of a condition that each candidate meets.
const metCondition = "met"

// search is a search for customers, prepared.
type search struct {
	tenant uuid.UUID
	guard  *guard
	params dbgen.FindCustomersParams
	// shown are the PII fields whose values an answer tells: those that a condition compares.
	shown []string
}

// FoundCustomers is a page of a search.
type FoundCustomers struct {
	Customers []vault.Customer
	// Next is the position after the page. nil: no customer follows.
	Next *vault.CustomerPosition
	// Positions has the position of each customer.
	Positions []vault.CustomerPosition
}

// FindCustomers returns customers who meet all conditions, after a position; nil: from the first. A page may have fewer
// customers than its limit, or none, and still be followed by another one. Merged customers are not included.
//
// A reader may use only the fields that it may see: the values of a customer who has not consented to the stated
// purpose match nothing, and a field that is masked is refused.
func (q *Queries) FindCustomers(
	ctx context.Context, tenant uuid.UUID, conditions []vault.FieldCondition, after *vault.CustomerPosition, limit int,
) (FoundCustomers, error) {
	out := FoundCustomers{Customers: []vault.Customer{}}
	s, err := q.prepareSearch(ctx, tenant, conditions)
	if err == nil {
		err = q.startAfter(ctx, s, after)
	}
	if err != nil {
		return out, err
	}
	limit = min(limit, MaxPage)
	readRows := q.readChunk
	first := limit + 1
	if s.direct() { // it stops at the end of the page by itself
		readRows, first = q.readDirect, maxCandidates
	}
	for chunk, read := first, 0; ; chunk = nextChunk(chunk, read, len(out.Customers), limit) {
		chunk = min(chunk, maxCandidates-read)
		rows, more, err := readRows(ctx, s, chunk, limit+1-len(out.Customers))
		if err != nil {
			return out, err
		}
		for _, r := range rows {
			if !r.Matches {
				continue
			}
			if len(out.Customers) == limit {
				last := out.Positions[limit-1]
				out.Next = &last
				return out, nil
			}
			s.note(r.CustomerID)
			out.Customers = append(out.Customers, customerOf(dbgen.PageCustomersRow{
				CustomerID: r.CustomerID, Version: r.Version, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
			}))
			out.Positions = append(out.Positions, s.position(r))
		}
		if !more {
			return out, nil
		}
		if read += chunk; read >= maxCandidates {
			last := s.position(rows[len(rows)-1])
			out.Next = &last
			return out, nil
		}
	}
}

// nextChunk returns the number of candidates that are likely to hold the rest of a page, by those who matched so far.
func nextChunk(chunk, read, matched, limit int) int {
	if matched == 0 {
		return chunk * growth
	}
	return min((limit+1-matched)*read*5/4/matched+1, chunk*growth)
}

// CountCustomers counts the customers who meet all conditions, as FindCustomers finds them.
func (q *Queries) CountCustomers(
	ctx context.Context, tenant uuid.UUID, conditions []vault.FieldCondition,
) (vault.CustomerCount, error) {
	var out vault.CustomerCount
	s, err := q.prepareSearch(ctx, tenant, conditions)
	if err == nil {
		err = q.startAfter(ctx, s, nil)
	}
	for read := 0; err == nil && read < maxCounted; read += countChunk {
		var rows []dbgen.FindCustomersRow
		if rows, out.Complete, err = q.countChunk(ctx, s); len(rows) > 0 {
			out.Count += rows[0].Matched
		}
		if err != nil || out.Complete {
			break
		}
	}
	if err == nil && out.Count > 0 {
		s.note(uuid.Nil)
	}
	return out, err
}

func (q *Queries) countChunk(ctx context.Context, s *search) (rows []dbgen.FindCustomersRow, last bool, err error) {
	rows, more, err := q.readChunk(ctx, s, countChunk, 0)
	return rows, !more, err
}

// readChunk reads the next candidates: those who match, up to a number, and the last one. more reports whether others
// follow.
func (q *Queries) readChunk(
	ctx context.Context, s *search, chunk, matches int,
) (rows []dbgen.FindCustomersRow, more bool, err error) {
	s.params.Chunk, s.params.MaxRows = int32(chunk), int64(matches) //nolint:gosec // at most maxCandidates
	rows, err = q.db.Tenant(s.tenant).FindCustomers(ctx, s.params)
	if err != nil {
		return nil, false, err
	}
	return q.afterRows(ctx, s, chunk, rows)
}

// afterRows moves a search behind the last candidate of a chunk, if others can follow.
func (q *Queries) afterRows(
	ctx context.Context, s *search, chunk int, rows []dbgen.FindCustomersRow,
) (same []dbgen.FindCustomersRow, more bool, err error) {
	if len(rows) == 0 {
		return nil, false, nil
	}
	last := rows[len(rows)-1]
	if more = last.Scanned == int64(chunk); more {
		err = q.moveTo(ctx, s, s.position(last))
	}
	return rows, more, err
}

// note notes that an answer tells the values of fields of a customer; uuid.Nil: of a number of customers.
func (s *search) note(customer uuid.UUID) {
	for _, name := range s.shown {
		s.guard.note(customer, name)
	}
}

func (s *search) position(r dbgen.FindCustomersRow) vault.CustomerPosition {
	return vault.CustomerPosition{By: s.params.By, At: r.At, ID: r.Position}
}

// startAfter sets the position from which on the search reads.
func (q *Queries) startAfter(ctx context.Context, s *search, after *vault.CustomerPosition) error {
	if after == nil {
		return nil
	}
	if after.By != s.params.By || (after.At != nil) != (after.By == byAge) {
		return vault.Invalid("cursor", "belongs to a list with other conditions; repeat the conditions of its page, or "+
			"leave the cursor out")
	}
	return q.moveTo(ctx, s, *after)
}

// moveTo sets the position after which the search reads. One by prefix is a version, so that a cursor holds no value:
// it stays a position when another version is active.
func (q *Queries) moveTo(ctx context.Context, s *search, after vault.CustomerPosition) error {
	s.params.AfterID = after.ID
	if after.At != nil {
		s.params.AfterAt = *after.At
	}
	if after.By != byPrefix {
		return nil
	}
	at, err := q.db.Tenant(s.tenant).PrefixPosition(ctx, s.tenant, after.ID)
	if db.IsNotFound(err) {
		return vault.Invalid("cursor", "names a value that was removed meanwhile; leave the cursor out to begin again")
	}
	s.params.AfterID, s.params.AfterKey = at.ProfileID, at.Key
	return err
}

// prepareSearch checks the conditions and chooses the order of a search.
func (q *Queries) prepareSearch(
	ctx context.Context, tenant uuid.UUID, conditions []vault.FieldCondition,
) (*search, error) {
	g, err := q.guard(ctx, tenant)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	s := &search{tenant: tenant, guard: g, params: dbgen.FindCustomersParams{TenantID: tenant, By: byCustomer, Now: &now}}
	p := &s.params
	for i, c := range conditions {
		if err := cmp.Or(rules.CheckText("where", c.Field), rules.CheckText("where", c.Text)); err != nil {
			return nil, err
		}
		purpose, err := g.purposeOf(c.Field)
		if err != nil {
			return nil, err
		}
		known, err := q.fieldOf(ctx, tenant, c.Field)
		if err != nil {
			return nil, err
		}
		if len(known.defs) == 0 {
			return nil, vault.Invalid("where", "names %s, and no definition has this name", c.Field)
		}
		number := int32(i + 1) //nolint:gosec // at most vault.MaxConditions
		p.CondNames, p.CondKinds = append(p.CondNames, c.Field), append(p.CondKinds, string(c.Kind))
		p.CondPurposes, p.CondTimes = append(p.CondPurposes, purpose), append(p.CondTimes, now.Add(-c.Age))
		p.CondPrefixes = append(p.CondPrefixes, "")
		if c.Kind == vault.ConditionEquals {
			if err := q.want(ctx, s, number, c, known); err != nil {
				return nil, err
			}
		}
		if c.Kind == vault.ConditionBegins {
			if err := s.begins(i, c, known); err != nil {
				return nil, err
			}
		}
	}
	return s, q.chooseOrder(ctx, s)
}

// begins adds the beginning that a condition accepts.
func (s *search) begins(i int, c vault.FieldCondition, f searchedField) error {
	allows := func(d vault.Definition) bool { return d.PrefixSearch }
	if f.sealed || !slices.ContainsFunc(f.defs, allows) {
		return vault.Invalid("where", "compares the beginning of %s; only a field with prefix_search in a definition, and "+
			"without encryption, can be found by it. Compare the whole value, as in %s=…", c.Field, c.Field)
	}
	if utf8.RuneCountInString(c.Text) > vault.MaxPrefixLength {
		return vault.Invalid("where",
			"compares the beginning of %s with more than %d characters; give fewer, or the "+
				"whole value", c.Field, vault.MaxPrefixLength)
	}
	s.params.CondPrefixes[i] = rules.PrefixText(c.Text)
	if s.guard.records(c.Field) {
		s.shown = append(s.shown, c.Field)
	}
	return nil
}

// want adds the values that a condition accepts.
func (q *Queries) want(ctx context.Context, s *search, number int32, c vault.FieldCondition, f searchedField) error {
	values, problem := rules.WantedValues(f.defs, c.Text)
	if problem != "" {
		return vault.Invalid("where", "compares %s: %s", c.Field, problem)
	}
	if f.sealed && !f.searchable {
		return vault.Invalid("where", "compares %s, whose values are encrypted; only a field whose definitions have "+
			"searchable can be compared", c.Field)
	}
	p := &s.params
	add := func(value string, key int64) {
		p.WantNumbers, p.WantNames = append(p.WantNumbers, number), append(p.WantNames, c.Field)
		p.WantValues, p.WantBlind = append(p.WantValues, value), append(p.WantBlind, key)
	}
	for _, v := range values {
		add(string(v), 0) // a sealed field can have plain values until seal-values has run
		if !f.sealed {
			continue
		}
		key, err := q.sealer.BlindKey(ctx, s.tenant, c.Field, rules.MatchText(v))
		if err != nil {
			return err
		}
		add("", key)
	}
	if s.guard.records(c.Field) {
		s.shown = append(s.shown, c.Field)
	}
	return nil
}

// chooseOrder chooses the candidates: those of the comparison with the fewest, else those of a beginning or of an age,
// else all customers. The order depends on the kinds of the conditions alone, so a cursor stays valid whatever is
// written meanwhile.
func (q *Queries) chooseOrder(ctx context.Context, s *search) error {
	p := &s.params
	if len(p.WantNumbers) > 0 {
		number, err := q.fewest(ctx, s)
		p.By, p.ByNumber, p.ByName = byValue, number, p.CondNames[number-1]
		s.met(int(number - 1))
		return err
	}
	if i := slices.Index(p.CondKinds, string(vault.ConditionBegins)); i >= 0 {
		p.By, p.ByName = byPrefix, p.CondNames[i]
		p.AfterKey, p.UntilKey = p.CondPrefixes[i], p.CondPrefixes[i]+string(unicode.MaxRune)
		s.met(i)
		return nil
	}
	if i := slices.Index(p.CondKinds, string(vault.ConditionOlderThan)); i >= 0 {
		p.By, p.ByName, p.ByBefore = byAge, p.CondNames[i], p.CondTimes[i]
		s.met(i)
	}
	return nil
}

// met says that each candidate meets a condition: it is not tested again, if it asks for no consent.
func (s *search) met(i int) {
	p := &s.params
	if p.CondPurposes[i] == "" {
		p.CondKinds[i] = metCondition
	}
}

// fewest returns the number of the comparison with the fewest candidates.
func (q *Queries) fewest(ctx context.Context, s *search) (int32, error) {
	p := s.params
	first := p.WantNumbers[0]
	if p.WantNumbers[len(p.WantNumbers)-1] == first {
		return first, nil // there is one
	}
	rows, err := q.db.Tenant(s.tenant).CountCandidates(ctx, dbgen.CountCandidatesParams{
		Numbers: p.WantNumbers, Names: p.WantNames, WantValues: p.WantValues, WantBlind: p.WantBlind, TenantID: s.tenant,
		MaxRows: maxCompared,
	})
	if err != nil {
		return first, err
	}
	candidates := map[int32]int64{}
	for _, r := range rows {
		candidates[r.Number] += r.Candidates
	}
	for n, count := range candidates {
		if count < candidates[first] || count == candidates[first] && n < first {
			first = n
		}
	}
	return first, nil
}

// searchedField is what the definitions of a tenant say of a name.
type searchedField struct {
	defs               []vault.Definition
	sealed, searchable bool
	expires            time.Time
}

type fieldName struct {
	tenant uuid.UUID
	name   string
}

// maxSearchedFields bounds the number of fields whose definitions are kept, each for policyTTL.
const maxSearchedFields = 1_000

func newSearched() *lru.Cache[fieldName, searchedField] {
	searched, err := lru.New[fieldName, searchedField](maxSearchedFields)
	if err != nil {
		panic(err) // only for a size below 1
	}
	return searched
}

// fieldOf returns what the definitions of all agents say of a name.
func (q *Queries) fieldOf(ctx context.Context, tenant uuid.UUID, name string) (searchedField, error) {
	key, now := fieldName{tenant, name}, time.Now()
	if known, ok := q.searched.Get(key); ok && now.Before(known.expires) {
		return known, nil
	}
	out := searchedField{expires: now.Add(policyTTL)}
	rows, err := q.db.Tenant(tenant).ListSearchedDefinitions(ctx, tenant, name)
	if err != nil {
		return out, err
	}
	out.defs = make([]vault.Definition, len(rows))
	for i, row := range rows {
		if out.defs[i], err = db.DefinitionOf(row.Definition); err != nil {
			return out, err
		}
		out.sealed = row.Sealed
	}
	// As ListSearchableNames: a definition allows it, and none that requires the encryption does not.
	out.searchable = slices.ContainsFunc(out.defs, func(d vault.Definition) bool { return d.Searchable }) &&
		!slices.ContainsFunc(out.defs, func(d vault.Definition) bool { return d.EncryptionRequired && !d.Searchable })
	q.searched.Add(key, out)
	return out, nil
}

// purposeOf returns the purpose to which a customer must have consented so that a condition may use a field, "" if none
// is needed. A field that the reader may not see is an error: its conditions would tell its values.
func (g *guard) purposeOf(name string) (string, error) {
	if g == nil {
		return "", nil
	}
	if g.foreign(name) {
		return "", &vault.Error{
			Code: vault.CodeNotAllowed, Field: "where",
			Message: "where: names " + name + ", which no agent of this API key defines",
		}
	}
	if g.masks(name) {
		return "", &vault.Error{
			Code: vault.CodeNotAllowed, Field: "where",
			Message: "where: names " + name + ", which is personal and masked for this API key; it needs the right to PII",
		}
	}
	policy, purpose := g.policies[name], g.reader.access.Purpose
	if len(policy.Purposes) == 0 {
		return "", nil
	}
	switch {
	case purpose == "":
		return "", consentRequired(vault.Withheld{Name: name, Reason: vault.WithheldPurposeRequired})
	case !policy.Allows(purpose):
		return "", consentRequired(vault.Withheld{Name: name, Reason: vault.WithheldPurposeNotAllowed})
	}
	return purpose, nil
}

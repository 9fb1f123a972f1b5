package query

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/internal/agents"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// Every read of values passes through a guard, which withholds or masks them (design, section 3, rule 13). It knows the
// reader by the context; a context without one is the vault itself, which sees everything.

type accessKey struct{}

// reader is who reads, with what was withheld from it.
type reader struct {
	access   vault.Access
	mu       sync.Mutex
	withheld map[vault.Withheld]bool
	reads    map[readOf]bool // the PII that was shown and is not recorded yet
}

// WithAccess returns a context whose reads show only what a reader may see.
func WithAccess(ctx context.Context, access vault.Access) context.Context {
	return context.WithValue(vault.WithAgents(ctx, access.Agents), accessKey{}, &reader{
		access: access, withheld: map[vault.Withheld]bool{}, reads: map[readOf]bool{},
	})
}

// Withheld returns what the reads of a context of WithAccess have withheld so far, by name.
func Withheld(ctx context.Context) []vault.Withheld {
	r, ok := ctx.Value(accessKey{}).(*reader)
	if !ok {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []vault.Withheld
	for w := range r.withheld {
		out = append(out, w)
	}
	return sortWithheld(out)
}

func sortWithheld(all []vault.Withheld) []vault.Withheld {
	slices.SortFunc(all, func(a, b vault.Withheld) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Reason, b.Reason))
	})
	return slices.Compact(all)
}

// policyTTL is the time for which a process keeps the policies of a tenant: a change of purposes or is_pii is in force
// everywhere after it. Consents are not kept: they are part of the profile.
const policyTTL = 200 * time.Millisecond

// maxPolicies bounds the number of tenants whose policies are kept.
const maxPolicies = 10_000

type tenantPolicies struct {
	fields  map[string]rules.FieldPolicy
	expires time.Time
}

func newPolicies() *lru.Cache[uuid.UUID, tenantPolicies] {
	policies, err := lru.New[uuid.UUID, tenantPolicies](maxPolicies)
	if err != nil {
		panic(err) // only for a size below 1
	}
	return policies
}

// policiesOf returns the policies of the fields of a tenant that need anything.
func (q *Queries) policiesOf(ctx context.Context, tenant uuid.UUID) (map[string]rules.FieldPolicy, error) {
	now := time.Now()
	if known, ok := q.policies.Get(tenant); ok && now.Before(known.expires) {
		return known.fields, nil
	}
	rows, err := q.db.Tenant(tenant).ListFieldPolicies(ctx, tenant)
	if err != nil {
		return nil, err
	}
	fields := make(map[string]rules.FieldPolicy, len(rows))
	for _, r := range rows {
		fields[r.Name] = fields[r.Name].Add(r.Purposes, r.IsPii)
	}
	q.policies.Add(tenant, tenantPolicies{fields, now.Add(policyTTL)})
	return fields, nil
}

// PersonalFields returns the names of the fields of a tenant whose values are masked for a reader without PII.
func (q *Queries) PersonalFields(ctx context.Context, tenant uuid.UUID) (map[string]bool, error) {
	policies, err := q.policiesOf(ctx, tenant)
	if err != nil {
		return nil, err
	}
	personal := map[string]bool{}
	for name, policy := range policies {
		if policy.PII {
			personal[name] = true
		}
	}
	return personal, nil
}

// CheckPurpose rejects a purpose that no definition of a tenant names.
func (q *Queries) CheckPurpose(ctx context.Context, tenant uuid.UUID, purpose string) error {
	policies, err := q.policiesOf(ctx, tenant)
	if err != nil {
		return err
	}
	for _, policy := range policies {
		for _, of := range policy.Purposes {
			if slices.Contains(of, purpose) {
				return nil
			}
		}
	}
	return vault.Invalid("Vault-Purpose", "no definition names this purpose; use one of the purposes of the definitions")
}

// CheckKeyPurpose rejects a purpose of a new API key that no definition of a tenant names.
func (q *Queries) CheckKeyPurpose(ctx context.Context, tenant uuid.UUID, purpose string) error {
	return db.CheckKeyPurpose(ctx, q.db.Tenant(tenant), tenant, purpose)
}

// guard decides what one read shows. A nil guard shows everything.
type guard struct {
	q        *Queries
	tenant   uuid.UUID
	reader   *reader
	policies map[string]rules.FieldPolicy
	now      time.Time
	consents map[uuid.UUID][]vault.Consent // by customer
	owners   map[uuid.UUID]uuid.UUID       // the customers of items
	names    []string                      // the fields that the agents of the reader define; nil: all fields
	// restricts reports that the reader may not see every field of the tenant.
	restricts bool
}

// guard returns the guard of a read, nil if the reader sees every field of the tenant and reads are not recorded.
func (q *Queries) guard(ctx context.Context, tenant uuid.UUID) (*guard, error) {
	r, ok := ctx.Value(accessKey{}).(*reader)
	if !ok {
		return nil, nil
	}
	policies, err := q.policiesOf(ctx, tenant)
	if err != nil {
		return nil, err
	}
	g := newGuard(q, tenant, r, policies)
	if g.names, err = q.fieldsOf(ctx, tenant); err != nil {
		return nil, err
	}
	g.restricts = r.access.Masked || g.names != nil // channel identities are PII
	for _, policy := range policies {
		g.restricts = g.restricts || len(policy.Purposes) > 0
	}
	if !g.restricts && q.reads == nil {
		return nil, nil
	}
	return g, nil
}

// fieldsOf returns the fields that the agents of the reader define; nil: all fields.
func (q *Queries) fieldsOf(ctx context.Context, tenant uuid.UUID) ([]string, error) {
	return agents.Fields(ctx, q.db.Tenant(tenant), tenant)
}

// checkFields refuses a field that no agent of the reader defines.
func (q *Queries) checkFields(ctx context.Context, tenant uuid.UUID, names ...string) error {
	return agents.CheckFields(ctx, q.db.Tenant(tenant), tenant, names...)
}

// checkIDs refuses what belongs to agents that the reader may not use.
func (q *Queries) checkIDs(ctx context.Context, tenant uuid.UUID, ids ...uuid.UUID) error {
	return agents.CheckIDs(ctx, q.db.Tenant(tenant), tenant, ids...)
}

func newGuard(q *Queries, tenant uuid.UUID, r *reader, policies map[string]rules.FieldPolicy) *guard {
	return &guard{
		q: q, tenant: tenant, reader: r, policies: policies, now: time.Now(),
		consents: map[uuid.UUID][]vault.Consent{}, owners: map[uuid.UUID]uuid.UUID{},
	}
}

// reason returns the reason why a field of a customer is withheld, "" if it is not, without noting it.
func (g *guard) reason(ctx context.Context, customer uuid.UUID, name string) (vault.WithheldReason, error) {
	policy := g.policies[name]
	if len(policy.Purposes) == 0 {
		return "", nil
	}
	consents, known := g.consents[customer]
	if !known {
		p, err := g.q.openProfile(ctx, g.tenant, customer)
		if err != nil && vault.CodeOf(err) != vault.CodeUnknown {
			return "", err
		}
		consents = p.Consents
		g.consents[customer] = consents
	}
	return policy.Withhold(g.reader.access.Purpose, consents, g.now), nil
}

// refuses reports whether a field of a customer must not be asked for, as no consent to a purpose of it is in force.
func (g *guard) refuses(ctx context.Context, customer uuid.UUID, name string) (bool, error) {
	if g == nil || len(g.policies[name].Purposes) == 0 {
		return false, nil
	}
	if _, err := g.reason(ctx, customer, name); err != nil {
		return false, err
	}
	return g.policies[name].Refuses(g.consents[customer], g.now), nil
}

// withholds reports whether a field of a customer is withheld, and notes it, unless the field belongs to agents that
// the reader may not use: nothing is said of these.
func (g *guard) withholds(ctx context.Context, customer uuid.UUID, name string) (bool, error) {
	if g == nil {
		return false, nil
	}
	reason, err := g.reason(ctx, customer, name)
	if err != nil || reason == "" {
		return err != nil, err
	}
	if g.foreign(name) {
		return true, nil
	}
	g.reader.mu.Lock()
	defer g.reader.mu.Unlock()
	g.reader.withheld[vault.Withheld{Name: name, Reason: reason}] = true
	return true, nil
}

// foreign reports that a field belongs to agents that the reader may not use. Nothing is said of it.
func (g *guard) foreign(name string) bool {
	return g != nil && g.names != nil && !slices.Contains(g.names, name)
}

// masks reports whether the values of a field are masked.
func (g *guard) masks(name string) bool {
	return g != nil && g.reader.access.Masked && g.policies[name].PII
}

// value reports whether a value of a customer is shown, and masks it if need be. What could quote a masked value is
// left out.
func (g *guard) value(ctx context.Context, customer uuid.UUID, v *vault.Value) (shown bool, err error) {
	if g.foreign(v.Name) {
		return false, nil
	}
	hidden, err := g.withholds(ctx, customer, v.Name)
	if hidden || err != nil {
		return false, err
	}
	if g.masks(v.Name) {
		v.Value, v.SourceMetadata, v.DecisionNote = rules.Mask(v.ValueType, v.Value), nil, ""
	}
	g.note(customer, v.Name)
	return true, nil
}

// values returns the values of a customer that are shown.
func (g *guard) values(ctx context.Context, customer uuid.UUID, all []vault.Value) ([]vault.Value, error) {
	if g == nil {
		return all, nil
	}
	out := make([]vault.Value, 0, len(all))
	for _, v := range all {
		shown, err := g.value(ctx, customer, &v)
		if err != nil {
			return nil, err
		}
		if shown {
			out = append(out, v)
		}
	}
	return out, nil
}

// history shows versions of fields of a customer. Those that are withheld stay in it without their values, so that
// pages keep their order.
func (g *guard) history(ctx context.Context, customer uuid.UUID, all []vault.Value) error {
	if g == nil {
		return nil
	}
	for i := range all {
		shown, err := g.value(ctx, customer, &all[i])
		if err != nil {
			return err
		}
		if !shown {
			all[i].Value, all[i].SourceMetadata, all[i].DecisionNote = json.RawMessage("null"), nil, ""
		}
	}
	return nil
}

// fields removes from the values of a customer, by name, what is withheld, and masks the others.
func (g *guard) fields(ctx context.Context, customer uuid.UUID, fields map[string]vault.Value) error {
	if g == nil {
		return nil
	}
	for name, v := range fields {
		shown, err := g.value(ctx, customer, &v)
		if err != nil {
			return err
		}
		if shown {
			fields[name] = v
		} else {
			delete(fields, name)
		}
	}
	return nil
}

// profile shows what the reader may see of a profile. The caller owns its maps and slices.
func (g *guard) profile(ctx context.Context, p *vault.Profile) error {
	if g == nil {
		return nil
	}
	if _, set := g.consents[p.CustomerID]; !set {
		g.consents[p.CustomerID] = p.Consents
	}
	before := g.noted()
	if err := g.fields(ctx, p.CustomerID, p.Fields); err != nil {
		return err
	}
	var err error
	if len(p.Pending) > 0 {
		if p.Pending, err = g.values(ctx, p.CustomerID, p.Pending); err != nil {
			return err
		}
	}
	if p.Assets, err = g.assets(ctx, p.Assets); err != nil {
		return err
	}
	if g.names != nil {
		p.VerificationLevel = rules.LevelOf(p.Fields)
	}
	if g.reader.access.Masked {
		p.Channels = slices.Clone(p.Channels)
		for i, c := range p.Channels {
			p.Channels[i].ExternalID = rules.MaskIdentity(c.ExternalID)
		}
	}
	if len(p.Channels) > 0 {
		g.note(p.CustomerID, vault.AuditedChannels)
	}
	p.Withheld = g.since(before)
	return nil
}

// assets leaves out the assets of agents that the reader may not use.
func (g *guard) assets(ctx context.Context, all []vault.Asset) ([]vault.Asset, error) {
	if g.names == nil {
		return all, nil
	}
	ids := convert(all, func(a vault.Asset) uuid.UUID { return a.ID })
	foreign, err := agents.Foreign(ctx, g.q.db.Tenant(g.tenant), g.tenant, ids)
	return slices.DeleteFunc(slices.Clone(all), func(a vault.Asset) bool {
		_, is := foreign[a.ID]
		return is
	}), err
}

// noted and since return what was withheld between two moments; names that were withheld before count again.
func (g *guard) noted() map[vault.Withheld]bool {
	g.reader.mu.Lock()
	defer g.reader.mu.Unlock()
	before := g.reader.withheld
	g.reader.withheld = map[vault.Withheld]bool{}
	return before
}

func (g *guard) since(before map[vault.Withheld]bool) []vault.Withheld {
	g.reader.mu.Lock()
	defer g.reader.mu.Unlock()
	var out []vault.Withheld
	for w := range g.reader.withheld {
		out = append(out, w)
		before[w] = true
	}
	g.reader.withheld = before
	return sortWithheld(out)
}

// pending shows a pending value and the active one beside it, as history does.
func (g *guard) pending(ctx context.Context, v *vault.PendingValue) error {
	both := []vault.Value{v.Pending}
	if v.Active != nil {
		both = append(both, *v.Active)
	}
	if err := g.history(ctx, v.CustomerID, both); err != nil {
		return err
	}
	v.Pending = both[0]
	if v.Active != nil {
		v.Active = &both[1]
	}
	return nil
}

// ownLinks leaves out the links that belong to agents that the reader may not use.
func (g *guard) ownLinks(ctx context.Context, links []vault.ChainLink) ([]vault.ChainLink, error) {
	if g.names == nil {
		return slices.Clone(links), nil
	}
	ids := convert(links, func(l vault.ChainLink) uuid.UUID { return l.ID })
	foreign, err := agents.Foreign(ctx, g.q.db.Tenant(g.tenant), g.tenant, ids)
	return slices.DeleteFunc(slices.Clone(links), func(l vault.ChainLink) bool {
		_, is := foreign[l.ID]
		return is
	}), err
}

// links leaves out the metadata of the links whose item is withheld or masked: it may quote the value.
func (g *guard) links(ctx context.Context, links []vault.ChainLink) ([]vault.ChainLink, error) {
	if g == nil {
		return links, nil
	}
	out, err := g.ownLinks(ctx, links)
	if err != nil {
		return nil, err
	}
	// clearMeta leaves out the metadata of a link. Those of an origin outside of the vault are the ones of the item
	// after it.
	clearMeta := func(i int) {
		out[i].Meta = nil
		if i > 0 && out[i-1].Name == "" {
			out[i-1].Meta = nil
		}
	}
	for i, l := range out {
		if l.Type == vault.SourceProfileField && g.masks(l.Name) {
			clearMeta(i)
		}
	}
	// needsOwner reports that what is shown of a link depends on its customer, or is recorded for it.
	needsOwner := func(l vault.ChainLink) bool {
		policy := g.policies[l.Name]
		return l.Type == vault.SourceProfileField && (len(policy.Purposes) > 0 || g.records(l.Name) && l.Meta != nil)
	}
	if err := g.findOwners(ctx, out, needsOwner); err != nil {
		return nil, err
	}
	for i, l := range out {
		if !needsOwner(l) {
			continue
		}
		customer, err := g.ownerOf(ctx, l.ID)
		if err != nil {
			return nil, err
		}
		hidden, err := g.withholds(ctx, customer, l.Name)
		if err != nil {
			return nil, err
		}
		if hidden {
			clearMeta(i)
		} else if l.Meta != nil {
			g.note(customer, l.Name)
		}
	}
	return out, nil
}

// findOwners reads the customers of links in one round trip.
func (g *guard) findOwners(ctx context.Context, links []vault.ChainLink, needed func(vault.ChainLink) bool) error {
	var ids []uuid.UUID
	for _, l := range links {
		if needed(l) {
			ids = append(ids, l.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	rows, err := g.q.db.Tenant(g.tenant).ListValueOwners(ctx, g.tenant, ids)
	if err != nil {
		return err
	}
	for _, r := range rows {
		g.owners[r.ID] = r.CustomerID
	}
	return nil
}

// ownerOf returns the customer of an item.
func (g *guard) ownerOf(ctx context.Context, item uuid.UUID) (uuid.UUID, error) {
	if owner, known := g.owners[item]; known {
		return owner, nil
	}
	row, err := g.q.db.Tenant(g.tenant).GetItemOwner(ctx, g.tenant, item)
	if err != nil {
		return uuid.Nil, db.WrapNotFound(err, "item", item)
	}
	g.owners[item] = row.CustomerID
	return row.CustomerID, nil
}

// questions leaves out the values to confirm that are withheld or masked, and the prompts with them.
func (g *guard) questions(ctx context.Context, all []vault.Question) error {
	if g == nil {
		return nil
	}
	for i, question := range all {
		hidden, err := g.withholds(ctx, question.CustomerID, question.FieldName)
		if err != nil {
			return err
		}
		if (hidden || g.masks(question.FieldName)) && question.Kind == vault.QuestionConfirm {
			all[i].Candidate, all[i].Prompt = nil, ""
		} else if len(question.Candidate) > 0 {
			g.note(question.CustomerID, question.FieldName)
		}
	}
	return nil
}

// session leaves out the variables with the names of fields that are withheld, and masks those of PII fields.
func (g *guard) session(ctx context.Context, s *vault.Session) error {
	if g == nil {
		return nil
	}
	for name := range s.Variables {
		hidden, err := g.withholds(ctx, s.CustomerID, name)
		if err != nil {
			return err
		}
		switch {
		case hidden:
			delete(s.Variables, name)
		case g.masks(name):
			s.Variables[name] = rules.Mask(vault.TypeString, s.Variables[name])
		default:
			g.note(s.CustomerID, name)
		}
	}
	if len(s.Turns) > 0 {
		g.note(s.CustomerID, vault.AuditedTurns)
	}
	return nil
}

// refusal is the error for a value that is withheld as a whole.
func (g *guard) refusal(ctx context.Context, customer uuid.UUID, name string) error {
	reason, err := g.reason(ctx, customer, name)
	if err != nil {
		return err
	}
	return consentRequired(vault.Withheld{Name: name, Reason: reason})
}

// consentRequired is the error for a value that is withheld as a whole.
func consentRequired(w vault.Withheld) error {
	return &vault.Error{
		Code: vault.CodeConsentRequired, Field: w.Name,
		Message: w.Name + ": the value is withheld: " + map[vault.WithheldReason]string{
			vault.WithheldPurposeRequired:   "the field needs a purpose; " + vault.PurposeRemedy,
			vault.WithheldPurposeNotAllowed: "the field may not be used for the stated purpose",
			vault.WithheldNoConsent:         "the customer has not consented to the stated purpose",
		}[w.Reason],
	}
}

package api

import (
	"context"
	"fmt"
	"net/http"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/contextvault/contextvault/api/internal/problem"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/vault"
)

const (
	// largeBody is the size in bytes from which a body counts as large.
	largeBody = 64 << 10
	// largeBodies is the number of large bodies that are read and decoded at the same time. A tenant has one of them, so
	// that its bodies leave the other CPUs to the others, and the memory of all bodies is bounded.
	largeBodies = 16
)

// largePages is the number of pages with values (vault.MaxPageBytes) that are read and written at the same time. A
// tenant has one of them, as of the large bodies: two at once would keep both CPUs of a small machine from the others.
const largePages = 16

// restOfLarge is how many times as long as a large body or page took, its tenant waits for the next one, while other
// tenants are around.
const restOfLarge = 2

func newLargeProfiles() *lru.Cache[profileOf, struct{}] {
	large, err := lru.New[profileOf, struct{}](maxLargeProfiles)
	if err != nil {
		panic(err) // only for a size below 1
	}
	return large
}

// takePageTurn waits for the turn of a tenant before a page with values is read, and ends it when it is written. It
// runs after authorize.
func (s *Server) takePageTurn(ctx huma.Context, next func(huma.Context)) {
	tenant := callerOf(ctx.Context()).tenant.String()
	if err := s.pages.Acquire(ctx.Context(), tenant); err != nil {
		s.writeProblem(ctx, err)
		return
	}
	defer s.pages.Release(tenant)
	next(ctx)
}

// maxLargeProfiles is the number of large profiles that a process remembers.
const maxLargeProfiles = 10_000

// profileOf identifies the profile of a customer.
type profileOf struct{ tenant, customer uuid.UUID }

// readProfile reads a profile. One that was larger than a page of values when it was last read needs the turn of a
// page, so that reading it again and again leaves the CPUs to the other tenants.
func (s *Server) readProfile(
	ctx context.Context, id profileOf, read func() (query.Document, error),
) (doc query.Document, err error) {
	if s.largeProfiles.Contains(id) {
		if err := s.pages.Acquire(ctx, id.tenant.String()); err != nil {
			return doc, err
		}
		defer s.pages.Release(id.tenant.String())
	}
	if doc, err = read(); err != nil {
		return doc, err
	}
	if doc.ValueBytes > vault.MaxPageBytes {
		s.largeProfiles.Add(id, struct{}{})
	} else {
		s.largeProfiles.Remove(id)
	}
	return doc, checkProfileSize(doc)
}

// checkProfileSize refuses a profile whose values exceed vault.MaxProfileBytes.
func checkProfileSize(d query.Document) error {
	if d.ValueBytes <= vault.MaxProfileBytes {
		return nil
	}
	return problem.New(http.StatusRequestEntityTooLarge, problem.CodeTooLarge, "", fmt.Sprintf(
		"the values of this profile have %d bytes; the limit of one answer is %d: read single values with "+
			"/v1/customers/{customer_id}/values/{name}, or all versions in pages with /v1/customers/{customer_id}/history",
		d.ValueBytes, vault.MaxProfileBytes))
}

type largeKey struct{}

// endTurn ends the turn of a request with a large body, if it has one. It is called once the body is decoded and its
// operation accepted, before the wait for the outcome.
func endTurn(ctx context.Context) {
	if release, ok := ctx.Value(largeKey{}).(func()); ok {
		release()
	}
}

// takeTurn waits for the turn of a tenant before a large body, or one of unknown size, is read. It runs after
// authorize.
func (s *Server) takeTurn(ctx huma.Context, next func(huma.Context)) {
	r := ctx.Context()
	if request, _ := humago.Unwrap(ctx); request.ContentLength >= 0 && request.ContentLength < largeBody {
		next(ctx)
		return
	}
	tenant := callerOf(r).tenant.String()
	if err := s.large.Acquire(r, tenant); err != nil {
		s.writeProblem(ctx, err)
		return
	}
	release := sync.OnceFunc(func() { s.large.Release(tenant) })
	defer release()
	next(huma.WithValue(ctx, largeKey{}, release))
}

package api

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/humatest"
	"github.com/google/uuid"

	fair "github.com/contextvault/contextvault/internal/turns"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/vault"
)

// A tenant is answered one page of values at a time. A page that is written slowly holds up the tenant's other pages and
// not those of another tenant, and its turn ends with it.
func TestPageTurn_OneOfATenant(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &Server{pages: fair.NewWithShare(largePages, 1)}
		one, other := uuid.New(), uuid.New()
		written := map[string]bool{}
		page := func(ctx context.Context, name string, tenant uuid.UUID, until chan struct{}) {
			r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/v1/customers", nil)
			r = r.WithContext(context.WithValue(r.Context(), callerKey{}, caller{tenant: tenant}))
			s.takePageTurn(humatest.NewContext(nil, r, httptest.NewRecorder()), func(huma.Context) {
				if until != nil {
					<-until
				}
				written[name] = true
			})
		}
		slow := make(chan struct{})
		go page(t.Context(), "slow", one, slow)
		synctest.Wait()
		go page(t.Context(), "second", one, nil)
		go page(t.Context(), "of another", other, nil)
		synctest.Wait()
		if written["second"] || !written["of another"] {
			t.Errorf("while a page is written: %v", written)
		}
		close(slow)
		synctest.Wait()
		if !written["second"] {
			t.Error("the turn did not end with the page")
		}
	})
}

// A profile that is large needs the turn of a page from its second read on, until it is small again.
func TestReadProfile_LargeOnesTakeTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &Server{pages: fair.NewWithShare(largePages, 1), largeProfiles: newLargeProfiles()}
		id := profileOf{uuid.New(), uuid.New()}
		size := vault.MaxPageBytes + 1
		read := func() {
			_, err := s.readProfile(t.Context(), id, func() (query.Document, error) {
				return query.Document{ValueBytes: size}, nil
			})
			if err != nil {
				t.Error(err)
			}
		}
		take := func() {
			if err := s.pages.Acquire(t.Context(), id.tenant.String()); err != nil {
				t.Fatal(err)
			}
		}
		take()
		read() // nothing is known of it
		waited := false
		go func() {
			read()
			waited = true
		}()
		synctest.Wait()
		if waited {
			t.Error("a large profile is read without a turn")
		}
		size = 1
		s.pages.Release(id.tenant.String())
		synctest.Wait()
		take()
		defer s.pages.Release(id.tenant.String())
		if read(); !waited {
			t.Error("the second read did not end")
		}
	})
}

func TestReadProfile_Refuses(t *testing.T) {
	t.Parallel()
	s := &Server{pages: fair.NewWithShare(largePages, 1), largeProfiles: newLargeProfiles()}
	for range 3 { // the turn is free again
		_, err := s.readProfile(t.Context(), profileOf{}, func() (query.Document, error) {
			return query.Document{ValueBytes: vault.MaxProfileBytes + 1}, nil
		})
		if err == nil {
			t.Error("a profile beyond the limit is answered")
		}
	}
}

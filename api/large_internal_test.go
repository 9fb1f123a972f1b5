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

// Package webconsole adds the console to a server of the API, with the sealing key and the dependencies of a process.
// Package console imports neither db nor app.
package webconsole

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/config"
	"github.com/contextvault/contextvault/console"
	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/internal/app"
)

// Mount adds the console to a server. describe returns the text of an internal error for the log, without customer
// values. change adjusts the options; tests use it.
func Mount(
	server *api.Server, r *app.Runtime, describe func(error) string, change ...func(*console.Options),
) error {
	sealer, err := db.NewSealer(r.Config.SealingKey.Reveal())
	if err != nil {
		return err
	}
	o := console.Options{
		Query: r.Query, Trigger: r.Trigger, Keys: server, Sealer: cookies{sealer}, Dependencies: r.Dependencies(),
		Audit: r.DB.InsertAuditEntries, PurgeAfter: r.Config.Erasure.PurgeAfter(), Dashboard: r.Config.Console.DashboardURL,
		Describe: describe, Log: r.Log,
	}
	if o.OIDC, err = signIn(r.Config.Console); err != nil {
		return err
	}
	for _, f := range change {
		f(&o)
	}
	console.Mount(server, o)
	return nil
}

// cookieRow binds session cookies, so that nothing else that the sealing key sealed opens as one.
var cookieRow = uuid.NewSHA1(uuid.NameSpaceURL, []byte("contextvault console session cookie"))

var errNoCookie = errors.New("this is no session cookie")

// cookies seals session cookies. They belong to no customer and no tenant: the sealing key itself seals them.
type cookies struct{ sealer *db.Sealer }

func (c cookies) Seal(ctx context.Context, plain []byte) ([]byte, error) {
	return c.sealer.SealBytes(ctx, db.Owner{}, cookieRow, plain)
}

func (c cookies) Open(ctx context.Context, sealed []byte) ([]byte, error) {
	if db.OwnerOf(uuid.Nil, sealed).CustomerID != uuid.Nil { // it names a customer, whose key would be looked up
		return nil, errNoCookie
	}
	return c.sealer.OpenBytes(ctx, uuid.Nil, cookieRow, sealed)
}

// signIn returns the sign-in by OpenID Connect of a configuration, nil if it has none.
func signIn(c config.Console) (*console.OIDC, error) {
	if c.OIDCIssuer == "" {
		return nil, nil
	}
	groups, err := console.ParseGroups(c.OIDCGroups)
	if err != nil {
		return nil, fmt.Errorf("configuration: console.%w", err)
	}
	tenant, err := uuid.Parse(c.OIDCTenant)
	switch {
	case err != nil:
		return nil, errors.New(
			"configuration: console.oidc_tenant: is not the id of a tenant; `vault tenants list` shows them")
	case c.OIDCClientID == "":
		return nil, errors.New("configuration: console.oidc_client_id: is required with console.oidc_issuer")
	case !strings.HasSuffix(c.OIDCRedirectURL, console.Path+"/oidc/callback"):
		return nil, errors.New("configuration: console.oidc_redirect_url: must end in /console/oidc/callback")
	case len(groups) == 0:
		return nil, errors.New("configuration: console.oidc_groups: is empty, so nobody could sign in; name a group and " +
			"its scopes, such as vault-admins=admin")
	}
	return &console.OIDC{
		Issuer: c.OIDCIssuer, ClientID: c.OIDCClientID, ClientSecret: c.OIDCClientSecret.Reveal(),
		RedirectURL: c.OIDCRedirectURL, Tenant: tenant, GroupsClaim: c.OIDCGroupsClaim, Groups: groups,
	}, nil
}

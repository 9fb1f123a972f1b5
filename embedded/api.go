package embedded

import (
	"context"
	"errors"
	"fmt"
	"net"
	"reflect"
	"time"
	"unsafe"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/hatchet-dev/hatchet/api/v1/server/middleware/populator"
	"github.com/hatchet-dev/hatchet/api/v1/server/run"
	"github.com/hatchet-dev/hatchet/pkg/config/server"
	"github.com/labstack/echo/v4"
)

// startAPI serves the engine's API on the given listener.
//
// By default the API server listens on all interfaces and panics if the port is taken. Its echo instance accepts a
// listener, but is reachable only through an unexported field of the group that it passes to extensions. So an
// extension with an empty specification reads that field. If echo renames the field, Start fails with the error of
// echoOf instead of listening on all interfaces.
func startAPI(sc *server.ServerConfig, listener net.Listener) (stop func() error, err error) {
	var instance *echo.Echo
	bind := func(*server.ServerConfig) (*openapi3.T, func(*echo.Group, *populator.Populator) error, error) {
		empty := &openapi3.T{OpenAPI: "3.0.0", Info: &openapi3.Info{Title: "none", Version: "0"}, Paths: openapi3.NewPaths()}
		return empty, func(group *echo.Group, _ *populator.Populator) (err error) {
			if instance, err = echoOf(group); err == nil {
				instance.Listener = listener
			}
			return err
		}, nil
	}
	if _, err := run.NewAPIServer(sc).Run(bind); err != nil {
		return nil, fmt.Errorf("embedded: start API: %w", err)
	}
	return func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		err := instance.Shutdown(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			err = instance.Close()
		}
		return err
	}, nil
}

func echoOf(group *echo.Group) (*echo.Echo, error) {
	field := reflect.ValueOf(group).Elem().FieldByName("echo")
	if !field.IsValid() || field.Type() != reflect.TypeFor[*echo.Echo]() {
		return nil, errors.New("echo.Group has no field echo: the API cannot be bound to loopback")
	}
	return *(**echo.Echo)(unsafe.Pointer(field.UnsafeAddr())), nil
}

package app

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	hatchetclient "github.com/hatchet-dev/hatchet/pkg/client" //nolint:staticcheck // the SDK's client options are only here
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"
	"github.com/rs/zerolog"

	"github.com/contextvault/contextvault/config"
)

// EngineLog returns the logger of the engine's SDK: errors only, to standard error. It drops the lines about failed
// steps, because the worker logs those itself.
func EngineLog() *zerolog.Logger {
	dropFailedSteps := zerolog.HookFunc(func(e *zerolog.Event, _ zerolog.Level, message string) {
		if strings.HasPrefix(message, "could not execute action") {
			e.Discard()
		}
	})
	log := zerolog.New(os.Stderr).Level(zerolog.ErrorLevel).Hook(dropFailedSteps).
		With().Timestamp().Str("logger", "hatchet").Logger()
	return &log
}

// NewEngine returns a client of the workflow engine in the configuration. An error never quotes the token.
func NewEngine(cfg config.Config) (_ *hatchet.Client, err error) {
	defer func() {
		if p := recover(); p != nil { // the SDK panics on a token, or another setting, that it cannot parse
			err = fmt.Errorf("connect to the workflow engine: HATCHET_CLIENT_TOKEN is no client token (create one in the "+
				"engine's dashboard), or another HATCHET_CLIENT_ variable is invalid: %v", p)
		}
	}()
	if err := cfg.Require("jobs.hatchet.token"); err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(cfg.Jobs.Hatchet.HostPort())
	if err != nil {
		return nil, fmt.Errorf("jobs.hatchet.server_url: %w", err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, fmt.Errorf("jobs.hatchet.server_url: %w", err)
	}
	var secure *tls.Config
	if cfg.Jobs.Hatchet.TLS() {
		secure = &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	}
	client, err := hatchet.NewClient(
		hatchetclient.WithToken(cfg.Jobs.Hatchet.Token.Reveal()), //nolint:staticcheck // the SDK takes no other options
		hatchetclient.WithHostPort(host, number),                 //nolint:staticcheck // as above
		hatchetclient.WithLogger(EngineLog()),                    //nolint:staticcheck // as above
		hatchetclient.WithTLSConfig(secure),
	)
	if err != nil {
		return nil, fmt.Errorf("connect to the workflow engine at %s: %w", cfg.Jobs.Hatchet.HostPort(), err)
	}
	return client, nil
}

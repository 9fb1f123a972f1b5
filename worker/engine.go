package worker

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	hatchetclient "github.com/hatchet-dev/hatchet/pkg/client" //nolint:staticcheck // the only home of the SDK's client options
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"
	"github.com/rs/zerolog"

	"github.com/contextvault/contextvault/config"
)

// engineLog is where the SDK's own lines go: errors only, since it is chatty, without those of failed steps, which the worker
// logs itself.
func engineLog() *zerolog.Logger {
	log := zerolog.New(os.Stderr).Level(zerolog.ErrorLevel).Hook(zerolog.HookFunc(func(e *zerolog.Event, _ zerolog.Level, message string) {
		if strings.HasPrefix(message, "could not execute action") {
			e.Discard()
		}
	})).With().Timestamp().Str("logger", "hatchet").Logger()
	return &log
}

// Engine makes a client of the workflow engine that the configuration names.
func Engine(cfg config.Config) (_ *hatchet.Client, err error) {
	defer func() {
		if p := recover(); p != nil { // so the SDK refuses a token, or another setting, that it cannot read
			err = fmt.Errorf("connect to the workflow engine: HATCHET_CLIENT_TOKEN is no client token, which its dashboard makes, or another HATCHET_CLIENT_ variable is wrong: %v", p)
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
		hatchetclient.WithLogger(engineLog()),                    //nolint:staticcheck // as above
		hatchetclient.WithTLSConfig(secure),
	)
	if err != nil {
		return nil, fmt.Errorf("connect to the workflow engine at %s: %w", cfg.Jobs.Hatchet.HostPort(), err)
	}
	return client, nil
}

// Package embedded runs the real Hatchet engine inside this process, for development and for tests.
//
// It uses the SDK's own hook, so other code does not depend on it:
//
//	embedded.Register(embedded.Config{Dir: ".dev/hatchet", SingleEngine: true})
//	client, err := hatchet.NewClient(hatchet.WithEmbedded(hatchet.WithEmbeddedDatabaseURL(url)))
//	...
//	defer client.Close(ctx) // stops the engine
//
// To use another backend, do not call Register (the official backend is a module that registers itself when imported).
// [Start] runs the engine without the hook; tests get an engine from package embeddedtest.
//
// The process runs the engine with its message queue on PostgreSQL, its gRPC server and its API server, both on
// loopback only and without TLS. It has no dashboard and no login: access to Config.Dir gives access to the engine.
//
// The engine adds 50 MB and 370 packages to a program. No production program imports this package.
//
// Start reading at [Start], in engine.go. The files: identity.go (keys, ports and token between starts), database.go
// (create, migrate, seed, lock), server.go (the server configuration), api.go (the API on loopback), stop.go (a
// shutdown with a time limit, without log noise, also under load), register.go (the hook).
package embedded

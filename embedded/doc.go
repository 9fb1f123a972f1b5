// Package embedded runs the real Hatchet engine inside this process, for development and for tests.
//
// It stands behind the SDK's own hook, so that nothing else has to know of it:
//
//	embedded.Register(embedded.Config{Dir: ".dev/hatchet", SingleEngine: true})
//	client, err := hatchet.NewClient(hatchet.WithEmbedded(hatchet.WithEmbeddedDatabaseURL(url)))
//	...
//	defer client.Close(ctx) // stops the engine
//
// Whoever prefers another backend (the official one is a module that registers itself when imported) leaves Register
// out. [Start] runs the engine without the hook; tests take one from the package embeddedtest.
//
// What runs is the engine with its message queue on PostgreSQL, its gRPC server and its API server, both on loopback
// only and without TLS. There is no dashboard, and no login: whoever may read Config.Dir may use the engine.
//
// The engine adds 50 MB and 370 packages to a program. Nothing that runs in production imports this package.
//
// Start to read at [Start], in engine.go. The files: identity.go (keys, ports and token kept between starts),
// database.go (create, migrate, seed, lock), server.go (the one server configuration), api.go (the API on loopback),
// stop.go (a stop that is bounded, quiet and survives load), register.go (the hook).
package embedded

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# No C compiler is needed: everything here, sqlc's parser included, builds as pure Go.
export CGO_ENABLED ?= 0
# Builds never rewrite go.mod. A checkout of another user still builds.
export GOFLAGS := $(GOFLAGS) -mod=readonly -buildvcs=false

# The Hatchet engine reads these when its package is initialised, so they must be set before the process starts. They
# halve the latency under load (measured on two cores).
engine_env := SERVER_DEFAULT_BUFFER_SIZE=1000 SERVER_DEFAULT_BUFFER_CONCURRENCY=2 SERVER_DEFAULT_BUFFER_FLUSH_INTERVAL=20ms

# Starts the services and exports the addresses of the databases and REDIS_URL for the next command.
with_services := scripts/services start && exports=$$(scripts/services env) && eval "$$exports" && export $(engine_env) &&

# Linters and generators, with the versions of tools/go.mod.
tool := go tool -modfile=tools/go.mod

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: services
services: ## install and start private PostgreSQL and Redis servers under .dev/
	@scripts/services start

.PHONY: services-stop
services-stop: ## stop the private servers; their data stays in .dev/
	@scripts/services stop

.PHONY: demo
demo: ## run the quickstart on real input; it ends with "demo: ok"
	@$(with_services) \
	scripts/progress demo go build -o bin/vault-dev ./cmd/vault-dev && \
	exec bin/vault-dev demo

.PHONY: run
run: ## run engine and worker in one process, until Ctrl-C
	@$(with_services) \
	scripts/progress run go build -o bin/vault-dev ./cmd/vault-dev && \
	exec bin/vault-dev run

.PHONY: bench
bench: ## measure everything beside its ceiling: benchmarks/*.json and the plots of docs/performance.md
	@$(with_services) \
	scripts/progress build go build -o bin/vault-dev ./cmd/vault-dev && \
	bin/vault-dev bench && \
	exec bin/vault-dev bench-growing

.PHONY: pictures
pictures: ## pictures of every page of the console, in two widths, light and dark: .dev/pictures (needs Chromium)
	@mkdir -p .dev/pictures && $(with_services) \
	go test -count=1 -run 'TestBrowser_(Pages|PagesAfterForms|SchemaPages)$$' ./console -pictures "$$PWD/.dev/pictures"

.PHONY: bench-short
bench-short: ## the measurements of bench with fewer repetitions, in less than 3 minutes; writes no file
	@$(with_services) \
	scripts/progress build go build -o bin/vault-dev ./cmd/vault-dev && \
	exec bin/vault-dev bench --short

.PHONY: bench-growing
bench-growing: ## measure the growth with workers and rows (part of bench): benchmarks/growing.json
	@$(with_services) \
	scripts/progress build go build -o bin/vault-dev ./cmd/vault-dev && \
	exec bin/vault-dev bench-growing

.PHONY: storm
storm: ## measure writes while 40 gap fills wait for a language model that hangs
	@$(with_services) \
	scripts/progress build go build -o bin/vault-dev ./cmd/vault-dev && \
	exec bin/vault-dev storm

.PHONY: bench-engine
bench-engine: ## measure the growth of the engine's database per write: benchmarks/engine.json
	@$(with_services) \
	scripts/progress build go build -o bin/vault-dev ./cmd/vault-dev && \
	exec bin/vault-dev bench-engine

.PHONY: bench-tenants
bench-tenants: ## measure a tenant's writes and reads while another attacks: benchmarks/tenants.json
	@$(with_services) \
	scripts/progress build go build -o bin/vault-dev ./cmd/vault-dev && \
	exec bin/vault-dev bench-tenants

.PHONY: test
test: ## run all tests, against real PostgreSQL, Redis and Hatchet
	@scripts/services tools && \
	$(with_services) \
	echo "test: go test ./..." && \
	scripts/progress test go test -count=1 -timeout 20m -p 2 ./... && $(MAKE) --no-print-directory race

# Only the race detector needs a C compiler. CI has one.
.PHONY: race
race: ## run the concurrency tests under the race detector (part of test)
	@if ! command -v "$$(go env CC)" >/dev/null; then \
		echo "race: skipped, no C compiler" && [ -z "$${CI:-}" ]; exit; fi; \
	$(with_services) \
	echo "race: go test -race (builds all packages for the race detector the first time: some minutes)" && \
	CGO_ENABLED=1 go test -race -count=1 -timeout 20m -run 'NeverOlder|ReadsNeverSee|Concurrent|AtOnce' ./steps ./cache ./trigger

.PHONY: chaos
chaos: ## kill PostgreSQL 40 times under gap fills, extractions and writes (CHAOS_KILLS=n: n times)
	@$(with_services) \
	CHAOS_KILLS="$${CHAOS_KILLS:-40}" go test -count=1 -timeout 60m -v -run TestPostgres_KilledUnderLoad ./cmd/vault

.PHONY: erasure-drill
erasure-drill: ## erase half of 200 customers with the worker killed in each step (part of test; ERASURE_DRILL=n: of n)
	@scripts/services tools && $(with_services) \
	go test -count=1 -timeout 60m -v -run TestErasure_Drill ./cmd/vault

.PHONY: check
check: ## check format, vet, lint, generated code and modules
	@echo "check: gofmt" && unformatted=$$(gofmt -l .) && \
		if [ -n "$$unformatted" ]; then echo "not formatted:"; echo "$$unformatted"; exit 1; fi
	@echo "check: go vet" && go vet ./...
	@echo "check: golangci-lint (built the first time)" && $(tool) golangci-lint run
	@echo "check: templ" && $(tool) templ fmt -fail console && $(tool) templ generate -path console -log-level error && \
		git diff --exit-code --stat -- 'console/*_templ.go'
	@echo "check: sqlc diff" && $(tool) sqlc diff
	@echo "check: sqlc vet" && $(tool) sqlc vet
	@echo "check: go mod verify" && go mod verify && go mod verify -modfile=tools/go.mod
	@if command -v shellcheck >/dev/null; then echo "check: shellcheck" && shellcheck -x scripts/services scripts/lib/*.sh .ci/run; \
		else echo "check: shellcheck is not installed, skipped"; fi
	@echo "check: ok"

.PHONY: generate
generate: ## generate db/dbgen, console/*_templ.go, db/catalogue/expected.jsonl, docs/configuration.md, the clients and the steps in docs/operation.md
	$(tool) sqlc generate
	$(tool) templ generate -path console -log-level error
	@$(with_services) go test -count=1 -run TestExpected_IsAFreshMigration ./db/catalogue -update
	go generate ./config ./client ./internal/sdkgen
	@cd sdk/typescript && if ! command -v npm >/dev/null; then \
		echo "generate: sdk/typescript/src/schema.d.ts needs Node 20 with npm, skipped"; exit; fi; \
	[ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --no-audit --no-fund; \
	npm run -s types
	go test -count=1 -run TestEventsPage_ListsTheTypes ./vault -update
	@$(with_services) go test -count=1 -run TestOperationPage_ListsTheSteps ./workflows -update

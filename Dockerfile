# One image; the command chooses the role: worker (the default), serve, migrate up, …
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
# Static, so that it runs on an image with nothing else in it.
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags='-s -w' -o /out/vault ./cmd/vault

# Certificates, time zones and a user that is not root; no shell.
FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /out/vault /usr/local/bin/vault
USER nonroot:nonroot
ENTRYPOINT ["/usr/local/bin/vault"]
CMD ["worker"]

# The image of the wiki: a static wiki-runner without a compiler, and the ahead-of-time code of the component.
#
#   docker build --tag wasiki .        or `cargo xtask image`, which can also test it
#
# Requires BuildKit. A stage runs again when a file it copies has changed, so a change in src/ does not rebuild the runner.
# Within a stage, cargo's target folder is on a cache mount, so libraries are compiled once (docs/decisions/0013).

FROM rust:1.95-bookworm AS rust
WORKDIR /wasiki

# The workspace without its sources: what cargo needs for packages that a stage does not build.
FROM rust AS workspace
COPY . .
RUN find . -type f ! -name 'Cargo.*' ! -path '*/src/lib.rs' ! -path '*/src/main.rs' -delete \
 && find . -name '*.rs' -exec truncate --size 0 {} + \
 && for manifest in $(find . -name Cargo.toml); do \
      sources=$(dirname "$manifest")/src; \
      if [ ! -e "$sources/lib.rs" ] && [ ! -e "$sources/main.rs" ]; then mkdir -p "$sources" && touch "$sources/lib.rs"; fi; \
    done

# All libraries, downloaded once. Not on a cache mount: without a shared lock, concurrent cargo processes would conflict.
FROM rust AS crates
COPY --from=workspace /wasiki .
RUN cargo fetch --locked --target "$(uname -m)-unknown-linux-gnu" --target wasm32-wasip2

# All stages below use `touch`, because cargo compares modification times, which are meaningless for copied files.

# The program in the image. glibc's static library contains the name resolver, so no other C library is needed. The explicit
# target keeps RUSTFLAGS away from build scripts and macros.
FROM crates AS runner
COPY wit wit
COPY crates/connection-string crates/connection-string
COPY crates/schema crates/schema
COPY runner runner
RUN --mount=type=cache,id=wasiki-runner,target=/wasiki/target,sharing=locked \
    target=$(uname -m)-unknown-linux-gnu \
 && find . -path ./target -prune -o -type f -exec touch {} + \
 && RUSTFLAGS='-C target-feature=+crt-static' cargo build --locked --profile dist --target "$target" \
      --package wiki-runner --no-default-features --features otlp,mimalloc \
 && install -D "target/$target/dist/wiki-runner" /out/wiki-runner

# The same program with the compiler. It stays in this stage.
FROM crates AS compiler
COPY wit wit
COPY crates/connection-string crates/connection-string
COPY crates/schema crates/schema
COPY runner runner
RUN --mount=type=cache,id=wasiki-compiler,target=/wasiki/target,sharing=locked \
    find . -path ./target -prune -o -type f -exec touch {} + \
 && cargo build --locked --release --package wiki-runner --no-default-features --features compiler \
 && install -D target/release/wiki-runner /out/wiki-runner

# The toolchain for the component, which xtask finds or installs.
FROM crates AS toolchain
COPY crates/local-postgres crates/local-postgres
COPY xtask xtask
RUN --mount=type=cache,id=wasiki-xtask,target=/wasiki/target,sharing=locked \
    find . -path ./target -prune -o -type f -exec touch {} + \
 && cargo build --locked --release --package xtask \
 && install -D target/release/xtask /out/release/xtask
# xtask uses the folder that contains it as the target folder.
RUN /out/release/xtask toolchain

FROM toolchain AS component
COPY crates crates
COPY migrations migrations
COPY askama.toml build.rs openapi.json ./
COPY src src
RUN --mount=type=cache,id=wasiki-component,target=/wasiki/target,sharing=locked \
    find . -path ./target -prune -o -type f -exec touch {} + \
 && install -D /out/release/xtask target/release/xtask \
 && target/release/xtask component \
 && install -D -m 644 target/wasm32-wasip2/release/wiki.wasm /out/wiki.wasm

# Ahead-of-time code, and a test that the program in the image accepts it and serves requests, without a database.
FROM rust AS application
COPY --from=compiler /out/wiki-runner /usr/local/bin/compiler
COPY --from=runner /out/wiki-runner /usr/local/bin/wiki-runner
COPY --from=component /out/wiki.wasm target/wasm32-wasip2/release/
COPY spin.toml .
RUN compiler compile --portable --output wiki.cwasm \
 && chmod 644 wiki.cwasm \
 && { wiki-runner serve --precompiled wiki.cwasm --admin off >/tmp/log 2>&1 & } \
 && for attempt in $(seq 100); do wiki-runner healthcheck 2>/dev/null && exit; sleep 0.1; done; cat /tmp/log; exit 1

FROM gcr.io/distroless/static-debian12:nonroot
WORKDIR /app
COPY --from=runner /out/wiki-runner /usr/local/bin/
COPY LICENSE spin.toml ./
COPY migrations migrations
COPY --from=application /wasiki/wiki.cwasm ./

ENV LISTEN_ADDR=0.0.0.0 \
    PORT=8000 \
    RUNNER_ADMIN=0.0.0.0:9090 \
    RUNNER_LOG_FORMAT=json \
    RUNNER_MANIFEST=/app/spin.toml \
    RUNNER_PRECOMPILED=/app/wiki.cwasm
# 8000: the wiki. 9090: probes and the runner's metrics, which should not be public.
EXPOSE 8000 9090
# A numeric id lets Kubernetes verify that the user is not root.
USER 65532:65532
# Checks the process, not the database, which a restart would not repair.
HEALTHCHECK --interval=5s --timeout=5s --start-period=10s --retries=3 CMD ["wiki-runner", "healthcheck"]
ENTRYPOINT ["wiki-runner"]
CMD ["serve"]

ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Wasiki" \
      org.opencontainers.image.description="A wiki as one WebAssembly component, served by wiki-runner" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"

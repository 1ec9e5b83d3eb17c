# The doors of citymap. `make help` lists them.
SHELL := /bin/bash
.ONESHELL:
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run check test bench conformance demo fmt lint docs screenshot web build setup setup-test setup-conformance setup-lint

LISTEN ?= 127.0.0.1:8080
STORE ?= var/city.gpkg
PARCELS ?= 100000
SEED ?= 1
TEST_SECONDS ?= 900
CITYMAP := target/release/citymap

help: ## This list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

run: setup build ## Set up, build, make the demo city if there is no store yet, serve the map on http://localhost:8080
	if [ ! -e "$(STORE)" ]; then $(CITYMAP) --store "$(STORE)" demo --parcels $(PARCELS) --seed $(SEED); fi
	exec $(CITYMAP) --store "$(STORE)" serve --listen $(LISTEN)

demo: setup build ## Make the demo city anew (PARCELS=100000 SEED=1 STORE=var/city.gpkg)
	$(CITYMAP) --store "$(STORE)" demo --parcels $(PARCELS) --seed $(SEED)

test: setup-test web ## Set up, then run every test: Rust, PostGIS as oracle, real data, web map in Chromium
	export CITYMAP_SKIPPED="$(CURDIR)/target/skipped"
	rm -f "$$CITYMAP_SKIPPED"
	trap scripts/skipped EXIT
	# The tests run target/debug/citymap. Built with the features that the tests need, it is built only once.
	cargo build --workspace --bins --tests
	# A test that waits for ever is a failure that names its program, not a run without an end.
	host=$$(rustc -vV | sed -n 's/^host: //p' | tr 'a-z-' 'A-Z_')
	export "CARGO_TARGET_$${host}_RUNNER=timeout --verbose --kill-after=10 $(TEST_SECONDS)"
	scripts/with-postgres cargo test --workspace --no-fail-fast
	npm --prefix web test
	scripts/e2e target/debug/citymap

conformance: setup-conformance build ## OGC API conformance, GDAL and QGIS against a running server
	scripts/conformance $(CITYMAP)

screenshot: build ## Take the pictures of the documentation again: docs/images
	node web/scripts/screenshot.mjs $(CITYMAP)

bench: setup-test build ## Measure import, start, tiles and queries next to PostGIS; prints a table with ratios
	cargo build --release -p citymap-benches --bin citymap-bench
	scripts/with-postgres target/release/citymap-bench $(BENCH)

fmt: ## Format all sources
	cargo fmt --all
	npm --prefix web run format

check: setup ## Format, clippy and unit tests of the crates that changed since main (BASE=REV): before each commit
	scripts/check-changed $(BASE)

lint: setup-lint ## Formatting, clippy, documentation, texts, spelling, licences, web lint and types; warnings are errors
	cargo fmt --all --check
	scripts/check-text
	target/tools/venv/bin/typos
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet
	scripts/cargo-deny check --hide-inclusion-graph bans licenses sources
	npm --prefix web run lint
	npm --prefix web run check

docs: ## The Rust API's documentation in target/doc
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

build: web ## The optimised binary, target/release/citymap
	cargo build --release -p citymap-cli

web: setup ## The web map in web/dist
	if [ ! -e web/dist/.built ] || [ -n "$$(find web tiles -newer web/dist/.built -type f -not -path '*/node_modules/*' -not -path '*/dist/*' -print -quit)" ]; then
		npm --prefix web run build
		touch web/dist/.built
	fi

setup:
	@scripts/setup run

setup-test:
	@scripts/setup test

setup-conformance:
	@scripts/setup conformance

setup-lint:
	@scripts/setup lint

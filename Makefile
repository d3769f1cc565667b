# What there is to run. Options of a command go in ARGS: make demo ARGS="--streamers 3", make test ARGS="-k relay".
.DEFAULT_GOAL := help
.PHONY: help demo page test test-unit fuzz bench-relay bench-idle bench-first-frame bench-match bench-dial bench-queue bench-store bench-proxies bench-chain bench-accept bench-startup chaos lint format lock clean manifests generated coverage dist version

ARGS ?=
FRAMES ?= 1000000
STREAMERS ?=
PORT ?=
VERSION ?=
demo_args = $(if $(STREAMERS),--streamers $(STREAMERS)) $(if $(PORT),--port $(PORT)) $(ARGS)

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' Makefile

demo: ## video in the browser: the whole system on this machine (STREAMERS=3 PORT=9000)
	@scripts/setup demo && scripts/build-page && exec .venv/bin/pixelfleet demo $(demo_args)

page: ## build the player page
	@scripts/setup demo && scripts/build-page

test: ## everything: unit, integration and, in a real browser, end to end
	@scripts/setup dev && scripts/build-page test && scripts/install-parts
	@scripts/npm run --silent test
	@scripts/test $(ARGS)

test-unit: ## the quick tests, which need nothing but Python
	@scripts/setup dev && exec .venv/bin/pytest tests/unit $(ARGS)

coverage: ## branch coverage of the unit tests: every module in a table, and the floors that CI holds
	@scripts/setup dev && scripts/coverage $(ARGS)

manifests: ## render and check all that is in k8s/ (ARGS=--write for a new k8s/demo.yaml)
	@scripts/manifests $(ARGS)

fuzz: ## a million hostile frames at the signalling server (FRAMES=1000000, and ARGS="--seed 7" to do one again)
	@scripts/setup dev && exec .venv/bin/python -m tests.fuzz.signalserver --frames $(FRAMES) $(ARGS)

bench-relay: ## what a relayed message costs, against relays without features (ARGS="--against URL --against-streamer URL")
	@scripts/setup dev && exec .venv/bin/python -m benchmarks.relay --check $(ARGS)

bench-chain: ## what a message through router, matchmaker and signalserver costs, against two proxies and a relay
	@scripts/setup dev && exec .venv/bin/python -m benchmarks.chain --check $(ARGS)

bench-idle: ## what 5,000 players that only wait cost the signalling server, for a minute
	@scripts/setup dev && exec .venv/bin/python -m benchmarks.idle --check $(ARGS)

bench-first-frame: ## from opening the page to its first frame, against a bare page on the signalling server alone
	@scripts/setup dev && scripts/build-page test && exec .venv/bin/python -m benchmarks.first_frame --check $(ARGS)

bench-match: ## what a match costs, two matchmakers on one Redis, and whether anybody is double-booked or lost
	@scripts/setup dev && exec .venv/bin/python -m benchmarks.match --check $(ARGS)

bench-dial: ## what it costs to dial a server and pass messages on, with the clients of three libraries
	@scripts/setup dev && exec .venv/bin/python -m benchmarks.dial $(ARGS)

bench-queue: ## what 10,000 waiting players cost a matchmaker
	@scripts/setup dev && exec .venv/bin/python -m benchmarks.queue --check $(ARGS)

bench-store: ## what a match costs each store as fleet and queue grow
	@scripts/setup dev && exec .venv/bin/python -m benchmarks.store --check $(ARGS)

bench-accept: ## what an accepted player costs a router, against another checkout (ARGS="--against CHECKOUT") or a bare proxy
	@scripts/setup dev && exec .venv/bin/python -m benchmarks.accept --check $(ARGS)

bench-proxies: ## what a message through router and matchmaker costs, against a proxy without features
	@scripts/setup dev && exec .venv/bin/python -m benchmarks.proxies --check $(ARGS)

bench-startup: ## how long help, the version and a mistake take (ARGS="--against PATH" for another build in turn)
	@scripts/setup dev && exec .venv/bin/python -m benchmarks.startup --check $(ARGS)

chaos: ## kill, freeze and flush what a fleet runs on, for some minutes
	@scripts/setup dev && exec .venv/bin/pytest tests/chaos $(ARGS)

lint: ## ruff, mypy, shellcheck, and eslint and tsc on the page
	@scripts/setup dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	[ ! -x .venv/bin/shellcheck ] || .venv/bin/shellcheck -x -P SCRIPTDIR scripts/* k8s/configure.sh .ci/run unreal/start findings/*.sh
	scripts/npm run --silent lint

format: ## rewrite the Python sources as ruff has them
	@scripts/setup dev
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

lock: ## write requirements/ from pyproject.toml (ARGS=--upgrade for newer versions)
	@scripts/lock $(ARGS)

generated: ## write what is checked in and made from other files: references, OpenAPI documents, the operator's rules
	@scripts/setup dev
	.venv/bin/python -m pixelfleet_cli.contracts
	.venv/bin/python -m pixelfleet_cli.reference >docs/reference/configuration.md
	scripts/prometheus-rule >telemetry/kubernetes/prometheus-rule.yaml

version: ## print the version, or write it wherever it stands (VERSION=0.2.0)
	@scripts/setup dev && exec .venv/bin/python -m tools.version $(VERSION)

dist: ## what a release holds, in .build/dist: the wheel and the bills of materials (ARGS=sbom for the bills alone)
	@scripts/dist $(ARGS)

clean: ## remove all that was made here
	rm -rf .venv .build .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
	rm -rf services/router/page player/node_modules tests/e2e/stock_page/dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

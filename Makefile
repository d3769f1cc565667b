# The commands of this project. ARGS are options of a command: make demo ARGS="--streamers 3", make test ARGS="-k relay".
.DEFAULT_GOAL := help
.PHONY: help demo page test test-unit fuzz bench bench-relay bench-idle bench-first-frame bench-match bench-dial bench-queue bench-store bench-proxies bench-chain bench-arrival bench-accept bench-startup bench-loss bench-rolling bench-scale bench-simulate chaos interop soak soak-resume simulate-truth lint format lock clean manifests generated coverage dist version

ARGS ?=
FRAMES ?= 1000000
STREAMERS ?=
PORT ?=
VERSION ?=
demo_args = $(if $(STREAMERS),--streamers $(STREAMERS)) $(if $(PORT),--port $(PORT)) $(ARGS)

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' Makefile

demo: ## run the whole system on this machine, with video in the browser (STREAMERS=3 PORT=9000)
	@scripts/setup demo && scripts/build-page && exec .venv/bin/pixelfleet demo $(demo_args)

page: ## build the player page
	@scripts/setup demo && scripts/build-page

test: ## run all tests: unit, integration, and end to end in a real browser
	@scripts/setup dev && scripts/build-page test && scripts/install-parts && scripts/helm
	@scripts/npm run --silent test
	@scripts/test $(ARGS)

test-unit: ## run the unit tests, which need only Python
	@scripts/setup dev && exec .venv/bin/pytest tests/unit $(ARGS)

coverage: ## measure branch coverage of the unit tests, and check the minimum that CI requires
	@scripts/setup dev && scripts/coverage $(ARGS)

manifests: ## render and check the manifests in k8s/ (ARGS=--write writes k8s/demo.yaml and the chart's templates)
	@scripts/manifests $(ARGS)

fuzz: ## send a million hostile frames to the signalling server (FRAMES=1000000; ARGS="--seed 7" repeats a run)
	@scripts/setup dev && exec .venv/bin/python -m tests.fuzz.signalserver --frames $(FRAMES) $(ARGS)

bench: ## run all benchmarks in a quick mode, compare them with the last committed run, and write the results (ARGS="--only store --check")
	@scripts/setup dev && scripts/build-page test && scripts/install-parts
	@exec .venv/bin/python -m benchmarks.every $(or $(ARGS),--check --write)

bench-relay: ## measure the cost of a relayed message, against relays without features (ARGS="--against URL --against-streamer URL")
	@scripts/setup dev && exec .venv/bin/python -m benchmarks.relay --check $(ARGS)

bench-chain: ## measure a message through router, matchmaker and signalserver, against two proxies and a relay
	@scripts/setup dev && exec .venv/bin/python -m benchmarks.chain --check $(ARGS)

bench-arrival: ## measure the cost of a player's arrival in router, matchmaker, Redis and signalserver (ARGS="--against CHECKOUT")
	@scripts/setup dev && exec .venv/bin/python -m benchmarks.arrival --check $(ARGS)

bench-idle: ## measure the cost of 5,000 idle players for the signalling server, for a minute
	@scripts/setup dev && exec .venv/bin/python -m benchmarks.idle --check $(ARGS)

bench-first-frame: ## measure the time from opening the page to its first frame, against a bare page and signalling server
	@scripts/setup dev && scripts/build-page test && exec .venv/bin/python -m benchmarks.first_frame --check $(ARGS)

bench-match: ## measure the cost of a match with two matchmakers on one Redis, and find double-booked or lost players
	@scripts/setup dev && exec .venv/bin/python -m benchmarks.match --check $(ARGS)

bench-dial: ## measure the cost of dialling and of relaying, with the clients of three libraries
	@scripts/setup dev && exec .venv/bin/python -m benchmarks.dial $(ARGS)

bench-queue: ## measure the cost of 10,000 waiting players for a matchmaker
	@scripts/setup dev && exec .venv/bin/python -m benchmarks.queue --check $(ARGS)

bench-store: ## measure the cost of a match in each store as fleet and queue grow
	@scripts/setup dev && exec .venv/bin/python -m benchmarks.store --check $(ARGS)

bench-accept: ## measure the cost of an accepted player for a router, against another checkout (ARGS="--against CHECKOUT") or a bare proxy
	@scripts/setup dev && exec .venv/bin/python -m benchmarks.accept --check $(ARGS)

bench-proxies: ## measure the cost of a message through router or matchmaker, against a proxy without features
	@scripts/setup dev && exec .venv/bin/python -m benchmarks.proxies --check $(ARGS)

bench-startup: ## measure the response time of the command line (ARGS="--against PATH" compares another build)
	@scripts/setup dev && exec .venv/bin/python -m benchmarks.startup --check $(ARGS)

bench-simulate: ## measure the CPU time of simulating thirty days of a thousand streams
	@scripts/setup dev && exec .venv/bin/python -m benchmarks.simulate --check $(ARGS)

bench-loss: ## measure the time without matches after the loss of Redis (ARGS="--against CHECKOUT" compares another build)
	@scripts/setup dev && exec .venv/bin/python -m benchmarks.loss --check $(ARGS)

bench-rolling: ## measure how long a picture stalls while every router and matchmaker is replaced (nginx in front)
	@scripts/setup dev && scripts/build-page test && scripts/install-parts && exec .venv/bin/python -m benchmarks.rolling --check $(ARGS)

bench-scale: ## measure CPU and memory of each service as streamers and players grow, and what 100,000 players need
	@scripts/setup dev && exec .venv/bin/python -m benchmarks.scale --check $(ARGS)

interop: ## run real peers (Epic's published libraries, Firefox, GStreamer) and write docs/reference/compatibility.md
	@scripts/setup dev && scripts/build-page test && scripts/install-parts interop
	@scripts/interop $(ARGS)

chaos: ## have faults in a whole fleet for half an hour, and write docs/evidence/chaos.md (ARGS="--seed 7 --scenario clocks")
	@scripts/setup dev && scripts/install-parts
	@$(if $(ARGS),,.venv/bin/pytest tests/chaos &&) .venv/bin/python -m tests.chaos.run --check $(or $(ARGS),--mutants --write)

soak: ## let players, streamers and replicas come and go for half an hour, and bound what grows (ARGS="--seconds 120", ARGS=--attacks)
	@scripts/setup dev && scripts/install-parts && exec .venv/bin/python -m tests.soak.churn --check $(ARGS)

soak-resume: ## run a small fleet with 1,000 players, of which a fifth loses its connection each second (ARGS="--players 200")
	@scripts/setup dev && scripts/install-parts && exec .venv/bin/python -m tests.soak.resume --check $(ARGS)

simulate-truth: ## run five small fleets of real services beside their simulation, for five minutes (ARGS=--write writes docs/evidence/simulation.md)
	@scripts/setup dev && exec .venv/bin/python -m tests.simulation.run --check $(ARGS)

lint: ## run ruff, mypy and shellcheck, and eslint and tsc on the page
	@scripts/setup dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	[ ! -x .venv/bin/shellcheck ] || .venv/bin/shellcheck -x -P SCRIPTDIR scripts/* k8s/configure.sh .ci/run unreal/start findings/*.sh
	scripts/npm run --silent lint

format: ## format the Python sources with ruff
	@scripts/setup dev
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

lock: ## write requirements/ from pyproject.toml (ARGS=--upgrade takes newer versions)
	@scripts/lock $(ARGS)

generated: ## write the generated files that are checked in: references, OpenAPI documents, Prometheus rules, plots
	@scripts/setup dev
	.venv/bin/python -m pixelfleet_cli.contracts
	.venv/bin/python -m pixelfleet_cli.reference >docs/reference/configuration.md
	.venv/bin/python -m tools.autoscalers
	scripts/prometheus-rule >telemetry/kubernetes/prometheus-rule.yaml

version: ## print the version, or change it in all files (VERSION=0.2.0)
	@scripts/setup dev && exec .venv/bin/python -m tools.version $(VERSION)

dist: ## make the files of a release in .build/dist: wheel, Helm chart and bills of materials (ARGS=sbom makes only the bills)
	@scripts/dist $(ARGS)

clean: ## remove all built files
	rm -rf .venv .build .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
	rm -rf services/router/page player/node_modules tests/interop/node_modules tests/interop/dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

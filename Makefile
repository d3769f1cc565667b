# What there is to run. Options of a command go in ARGS: make demo ARGS="--streamers 3", make test ARGS="-k relay".
.DEFAULT_GOAL := help
.PHONY: help demo page test test-unit fuzz lint format lock generated clean

ARGS ?=
FRAMES ?= 1000000
STREAMERS ?=
PORT ?=
demo_args = $(if $(STREAMERS),--streamers $(STREAMERS)) $(if $(PORT),--port $(PORT)) $(ARGS)

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

demo: ## video in the browser: the whole system on this machine (STREAMERS=3 PORT=9000)
	@scripts/setup demo && scripts/build-page && exec .venv/bin/pixelfleet demo $(demo_args)

page: ## build the player page
	@scripts/setup demo && scripts/build-page

test: ## everything: unit, integration and, in a real browser, end to end
	@scripts/setup dev && scripts/build-page test && scripts/install-parts
	@scripts/npm run --silent test
	@.venv/bin/pytest $(ARGS)

test-unit: ## the quick tests, which need nothing but Python
	@scripts/setup dev && exec .venv/bin/pytest tests/unit $(ARGS)

fuzz: ## a million hostile frames at the signalling server (FRAMES=1000000, and ARGS="--seed 7" to do one again)
	@scripts/setup dev && exec .venv/bin/python -m tests.fuzz.signalserver --frames $(FRAMES) $(ARGS)

lint: ## ruff, mypy, shellcheck, and eslint and tsc on the page
	@scripts/setup dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	[ ! -x .venv/bin/shellcheck ] || .venv/bin/shellcheck -x -P SCRIPTDIR scripts/* .ci/run unreal/start
	scripts/npm run --silent lint

format: ## rewrite the Python sources as ruff has them
	@scripts/setup dev
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

lock: ## write requirements/ from pyproject.toml (ARGS=--upgrade for newer versions)
	@scripts/lock $(ARGS)

generated: ## write what is checked in and made from other files: the configuration reference, the operator's rules
	@scripts/setup dev
	.venv/bin/python -m pixelfleet.reference >docs/configuration.md
	scripts/prometheus-rule >telemetry/kubernetes/prometheus-rule.yaml

clean: ## remove all that was made here
	rm -rf .venv .build .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
	rm -rf services/router/page player/node_modules tests/e2e/stock_page/dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Every command of Comptoir; `make` alone lists them. All run in var/venv, which they make when it is missing.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
PY = var/venv/bin/python
ORDERS ?=
ARGS ?=
WORKERS ?= 2
SECONDS ?= 120

# Processes are started hundreds of times: Python keeps the compiled modules, even where the environment says otherwise.
export PYTHONDONTWRITEBYTECODE =

.DEFAULT_GOAL := help
.PHONY: help venv demo up seed test soak bench lint format types contracts check-contracts clean

help: ## list these commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-16s %s\n", $$1, $$2}'

venv: ## make var/venv with the packages pinned in constraints.txt
	@$(PYTHON) -m deploy.local.venv

demo: venv ## the whole life of real orders on private servers (ORDERS=FILE.csv: of the orders in that file)
	@$(PY) -m deploy.demo $(if $(ORDERS),--orders "$(ORDERS)") $(ARGS)

up: venv ## the same, kept running, with the addresses printed (WATCH=1: with Prometheus and Alertmanager)
	@$(PY) -m deploy.demo.up $(if $(WATCH),--watch) $(ARGS)

seed: venv ## N made-up orders more in the running system of make up (ARGS="--orders URL …": elsewhere)
	@$(PY) -m deploy.seed $(or $(N),1000000) $(ARGS)

test: venv ## every test, on two workers with servers of their own (ARGS="tests/orders -x": some of them)
	@$(PY) -m pytest -n $(WORKERS) --dist loadgroup --no-loadscope-reorder $(ARGS)

soak: venv ## payment providers at their worst for two minutes (SECONDS=600: for longer)
	@COMPTOIR_SOAK_SECONDS=$(SECONDS) $(PY) -m pytest tests/faults/test_standins_at_their_worst.py $(ARGS)

bench: venv ## our speed beside the floor's; figures in var/bench/report.json
	@$(PY) -m tests.bench $(ARGS)

lint: venv ## style, formatting and which part may import which
	@$(PY) -m ruff check
	@$(PY) -m ruff format --check
	@PYTHONPATH=. var/venv/bin/lint-imports --no-cache

format: venv ## put the source into its one format
	@$(PY) -m ruff check --fix-only --quiet
	@$(PY) -m ruff format

types: venv ## check the types (mypy, strict)
	@$(PY) -m mypy --cache-dir var/mypy

contracts: venv ## write the JSON Schemas and asyncapi.json from the contracts
	@$(PY) -m contracts.generate

check-contracts: venv ## committed schemas are current and changed only compatibly
	@$(PY) -m contracts.check

clean: ## remove everything that was made: var/ and caches
	@rm -rf var .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find contracts services deploy tests -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

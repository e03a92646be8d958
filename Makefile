# Every target does its own set-up. Paths are relative, so the checkout may lie anywhere, also in a path with a space.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup demo up test check proof bench lock clean

PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do command -v $$p && break; done)
PY := .venv/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --quiet
PG ?= 18
BENCH ?= run_start
# Some pythons are found by shims that hide the real name; no .pyc churn, and no hash randomisation in messages.
export PYTHONTZPATH :=

help: ## List the targets
	@grep -hE '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 10

setup: .venv/ready ## Create .venv and install the locked packages and this project

.venv/ready: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "make: Python 3.11 to 3.13 is needed and none was found; set PYTHON=/path/to/python3"; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || \
	    { echo "make: $$("$(PYTHON)" --version) does not fit; set PYTHON= to Python 3.11, 3.12 or 3.13"; exit 1; }
	@echo "setting up .venv (once, one to three minutes)"
	@"$(PYTHON)" -m venv .venv
	@$(PIP) install --no-deps --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch .venv/ready

demo: setup ## Run the whole platform with a sandbox of every vendor and play a day (EXIT=1 stops after it)
	@$(PY) -m zrg_dagster.cli demo $(if $(EXIT),--exit)

up: setup ## Run the platform
	@$(PY) -m zrg_dagster.cli up

# Three at a time on two cores: what starts whole platforms mostly waits for them.
test: setup ## Run the tests (PG=16 or 18)
	@ZRG_TEST_PG=$(PG) $(PY) -m pytest -n 3 --dist loadgroup -m 'not proof'

check: setup ## Format, lint, types, import contracts, and a clean load of the code location
	@$(PY) -m ruff format --check --quiet .
	@$(PY) -m ruff check --quiet .
	@$(PY) -m basedpyright --level error
	@$(PY) -c 'from importlinter.cli import lint_imports_command as lint; lint()' --no-logo
	@$(PY) -W error -W 'ignore:Parameter `backfill_policy` of' -c 'import zrg_dagster.definitions as d; d.defs.get_repository_def()'
	@echo "check: ok"

proof: setup ## The heavy matrices, seeds printed
	@ZRG_TEST_PG=$(PG) $(PY) -m pytest -m proof -s

bench: setup ## Measure one claim: BENCH=run_start, import, idle, receiver, drain, sensor, replies
	@$(PY) -m benchmarks.$(BENCH)

lock: setup ## Resolve the dependencies anew into requirements.lock
	@$(PY) -m uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
	    --no-annotate --no-header --quiet --output-file requirements.lock

clean: ## Remove the virtual environment and the local stack's data
	@if test -x $(PY); then $(PY) -m zrg_dagster.cli clean --yes; fi
	@rm -rf .venv

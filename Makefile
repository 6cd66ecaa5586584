# GigMate: `make` lists what can be done. Paths stay relative, so that a checkout may lie anywhere.

.DEFAULT_GOAL := help
.PHONY: help run serve test check format db-reset psql bench chaos explore docs clients clean
.DELETE_ON_ERROR:

# Somebody else's Python settings would reach into our environment.
unexport PYTHONHOME PYTHONPATH

PY := .venv/bin/python
PIP := PIP_USER=0 $(PY) -m pip install --quiet --disable-pip-version-check
PYTHONS := $(if $(PYTHON),"$(PYTHON)",python3.13 python3.12 python3.11 python3)
FITS := import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))

# An environment whose Python has gone away is as good as none.
$(shell $(PY) -c '' 2>/dev/null || rm -f .venv/.made)

help: ## List these targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

run: .venv/.run-installed ## Serve the API for development (HOST=, PORT=); brings its own database without DATABASE_URI.
	@$(PY) -m main

serve: .venv/.run-installed ## Serve the API for production.
	@GIGMATE_ENV=production $(PY) -m gunicorn -c gunicorn.conf.py 'start:production()'

# An empty DATABASE_URI also outweighs one in .env: tests never touch the developer's database.
test: .venv/.dev-installed ## Run the tests (ARGS="-k booking -x").
	@DATABASE_URI= $(PY) -m pytest -n auto $(ARGS)

check: .venv/.dev-installed ## Check format, lint, types, imports and conventions.
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
	@$(PY) -m mypy
	@$(PY) -c 'from importlinter.cli import lint_imports_command as check; check()'
	@DATABASE_URI= $(PY) -m pytest -q tests/conventions

format: .venv/.dev-installed ## Format the code, and fix what ruff can fix.
	@$(PY) -m ruff check --fix-only .
	@$(PY) -m ruff format .

db-reset: .venv/.run-installed ## Drop the database, make it anew and seed it.
	@$(PY) -m flask db drop --yes
	@$(PY) -m flask db create
	@$(PY) -m flask db seed

psql: .venv/.run-installed ## Talk to the development database of `make run`.
	@$(PY) -m utils.dev_database psql

bench: .venv/.dev-installed ## Measure against a bare program, as ratios (ARGS="--help"); installs wrk.
	@command -v wrk >/dev/null || { echo "Installing wrk, the load generator, with apt-get."; \
	  apt-get install -y wrk >/dev/null 2>&1 || sudo -n apt-get install -y wrk >/dev/null 2>&1; } || true
	@$(PY) -m benchmarks $(ARGS)

chaos: .venv/.dev-installed ## Sell under fire on a server of its own, with controls (ARGS="--list").
	@$(PY) -m tests.chaos $(ARGS)

explore: .venv/.dev-installed ## Run every interleaving of two operations on real sessions (ARGS="--list").
	@$(PY) -m tests.explore $(ARGS)

docs: .venv/.run-installed ## Write docs/openapi.json and docs/problems.md from the code.
	@$(PY) -m flask docs

clients: .venv/.run-installed ## Write docs/clients from the code, and run it with newman (installed by npm).
	@$(PY) -m flask clients
	@$(PY) -m tests.contract.newman

clean: ## Stop the private database; remove .venv and .gigmate, with all development data.
	@for home in .gigmate/*/; do \
	  for python in $(PY) python3; do \
	    "$$python" -m utils.dev_database remove --home "$$home" && break; \
	  done; \
	done 2>/dev/null || true
	@rm -rf .venv .gigmate
	@echo "Removed .venv and .gigmate."

.venv/.made:
	@for python in $(PYTHONS); do \
	  "$$python" -c '$(FITS)' 2>/dev/null || continue; \
	  echo "Making .venv with $$("$$python" -V)."; \
	  rm -rf .venv; \
	  "$$python" -m venv .venv && $(PY) -m pip --version >/dev/null && touch $@ && exit 0; \
	done; \
	echo "No Python 3.11, 3.12 or 3.13 that can make a venv: install one (on Debian with python3-venv), or name it: make PYTHON=/path/to/python3.12" >&2; \
	exit 1

.venv/.run-installed: requirements.txt .venv/.made
	@echo "Installing requirements.txt."
	@$(PIP) -r requirements.txt
	@touch $@

.venv/.dev-installed: requirements-dev.txt .venv/.run-installed
	@echo "Installing requirements-dev.txt."
	@$(PIP) -r requirements-dev.txt
	@touch $@

# `make run` and `make test` are all that a newcomer needs; `make help` lists the rest.
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest
INSTALL := $(BIN)/python -m pip --disable-pip-version-check install --no-input
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	--no-emit-index-url $(UPGRADE)
# Empty, or `--upgrade`: `make lock UPGRADE=--upgrade` takes newer versions, plain `make lock` only what changed.
UPGRADE ?=
# Empty, or the Python to use.
PYTHON ?=

.PHONY: run setup test lint types check format bench lock wheel clean help
.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /	/' | expand -t 10

run: setup ## the console; where there is no terminal, the main job (peak, 60 s) and its summary
	@if [ -t 0 ] && [ -t 1 ]; then exec $(BIN)/latency; else exec $(BIN)/latency run peak --duration 60s; fi

setup: $(VENV)/.runtime ## packages, Kafka's and Spark's jars, Java, mongod: whatever is not there yet
	@$(BIN)/python -m stack.provision

test: $(VENV)/.developer setup check ## everything that CI runs: lint, types, import borders, every test
ifdef ARGS
	@$(PYTEST) $(ARGS)
else
	@$(PYTEST) -m "not (stack or docker)" -n logical --maxprocesses 4 --dist loadfile; apart=$$?; \
	$(PYTEST) -m "stack or docker" && exit $$apart
endif

check: $(VENV)/.developer ## lint, format, types and import borders only
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(VENV)/.developer ## put the code into its one form
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

bench: $(VENV)/.developer setup ## the figures to reach, measured on this machine
	@$(BIN)/python -m bench $(ARGS)

wheel: $(VENV)/.developer ## the package, in dist/
	@$(BIN)/python -m build --wheel --no-isolation

lock: $(VENV)/.developer ## write the locks anew from pyproject.toml and the jars' coordinates
	@$(LOCK) pyproject.toml --output-file requirements.lock
	@$(LOCK) --group dev pyproject.toml --constraint requirements.lock --output-file requirements-dev.lock
	@$(LOCK) --group build --constraint requirements-dev.lock --output-file requirements-build.lock
	@$(BIN)/python scripts/lock_jars.py

clean: ## remove what `make` made in this folder; runs and jars stay
	@rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

# pip is what a new environment gets last, so one whose making was interrupted has none and is made anew.
$(BIN)/pip:
	@for python in $(PYTHON) python3 python3.13 python3.12 python3.11; do \
	  "$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null || continue; \
	  echo "making $(VENV) with $$("$$python" --version)" >&2; \
	  "$$python" -m venv --clear $(VENV) >&2 && exit 0; \
	  rm -rf $(VENV); \
	  echo "latency: $$python cannot make an environment: install its venv package (on Debian python3-venv)." >&2; \
	  exit 5; \
	done; \
	echo "latency: Python 3.11, 3.12 or 3.13 is needed, and none was found on PATH: install one, or name it:" \
	  "make PYTHON=/path/to/python3.12" >&2; \
	exit 5

$(VENV)/.runtime: pyproject.toml requirements-build.lock requirements.lock | $(BIN)/pip
	@echo "installing packages (some minutes the first time)" >&2
	@{ $(INSTALL) --require-hashes -r requirements-build.lock \
	  && $(INSTALL) --require-hashes --no-build-isolation -r requirements.lock \
	  && $(INSTALL) --no-index --no-deps --no-build-isolation --editable .; } >&2 \
	  || { echo "latency: the packages could not be installed; pip says why above. Check the network and the space" \
	    "on this disk, then run the same command again." >&2; exit 5; }
	@touch $@

$(VENV)/.developer: requirements-dev.lock $(VENV)/.runtime
	@echo "installing the developers' packages" >&2
	@$(INSTALL) --require-hashes --no-build-isolation -r requirements-dev.lock >&2 \
	  || { echo "latency: the developers' packages could not be installed; pip says why above." >&2; exit 5; }
	@touch $@

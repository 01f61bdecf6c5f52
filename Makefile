# Every target below prints its own line in `make help`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
export PYTHONUTF8 := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
.DEFAULT_GOAL := help
.PHONY: help demo test lint drill bench serve bundle docs lock system clean

help: ## Show these targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.runtime ## From nothing to explained scores: environment, sample world, the whole flow, a summary
	$(BIN)/basira demo

serve: $(VENV)/.runtime ## The API and the first page over what `make demo` left, on http://127.0.0.1:8000
	$(BIN)/basira serve

test: system $(VENV)/.dev lint ## Everything CI runs: lint, types, layers, the whole suite
	$(BIN)/pytest -n 2 --dist loadfile

lint: $(VENV)/.dev ## Style, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

drill: system $(VENV)/.dev ## The slow fault drills in full
	BASIRA_DRILL=full $(BIN)/pytest -m drill

bench: $(VENV)/.dev ## Short form of every benchmark, and every bar of benchmarks/bars.toml
	$(BIN)/python benchmarks/run.py --short

bundle: $(VENV)/.dev ## One archive that installs without an index: wheels, documents, SBOM, checksums
	$(BIN)/python bundle/make.py dist

docs: $(VENV)/.dev ## Pages generated from the code
	$(BIN)/python -m pipelines.documents

lock: ## Pin every dependency with hashes (needs uv)
	uv pip compile -q --universal --generate-hashes --no-header --no-emit-index-url --no-annotate --python-version 3.11 \
		pyproject.toml --extra build --extra dev --extra postgres -o requirements-dev.lock
	uv pip compile -q --universal --generate-hashes --no-header --no-emit-index-url --no-annotate --python-version 3.11 \
		pyproject.toml --extra build -c requirements-dev.lock -o requirements.lock

system: ## PostgreSQL and Chromium, for tests only
	@sh bundle/system.sh

clean: ## Remove the environment and what the demo made
	rm -rf $(VENV) .basira dist build *.egg-info

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "Installing what requirements.lock pins (once)"
	@[ -e $(VENV)/.dev ] || $(BIN)/pip install -q --require-hashes -r requirements.lock
	@$(BIN)/pip install -q --no-deps --no-index --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml | $(VENV)/bin/python
	@echo "Installing what requirements-dev.lock pins (once)"
	@$(BIN)/pip install -q --require-hashes -r requirements-dev.lock
	@$(BIN)/pip install -q --no-deps --no-index --no-build-isolation -e .
	@touch $@ $(VENV)/.runtime

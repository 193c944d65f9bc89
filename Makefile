# Each target sets itself up: all they need is Python 3.11 or newer, and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
WORKERS ?= 2

# Tests start hundreds of processes: what Python compiled is kept for the next.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test crash lint docs bench clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: $(STAMP) ## five vendors: plan, apply, what people do, and no changes left; on the sandbox
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh examples/demo.sh

test: lint ## lint, then the whole suite
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

crash: $(STAMP) ## every kill there is: each vendor, scenario and store, once and twice; then 200 at random
	CRASH_FULL=1 $(BIN)/python -m pytest tests/crash tests/engine/test_state_machine.py -n $(WORKERS) --dist worksteal

lint: $(STAMP) ## ruff and mypy --strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(STAMP) ## write what the README shows of vendors and plans
	$(BIN)/python tests/docs/readme_tables.py

bench: $(STAMP) ## the README's figures
	$(BIN)/python -m benchmarks

clean: ## remove what the targets made
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

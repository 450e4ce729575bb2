# Everything a newcomer needs. The README gives the same lines for a machine without make.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help run test lint format bench

help: ## show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

run: .venv/.run ## start the server; DEMO=1 lets simulated devices live in it
	@$(BIN)/python manage.py serve $(if $(filter-out 0,$(DEMO)),--demo)

test: .venv/.test ## run every test that this machine can run
	$(BIN)/python -m tests.run $(ARGS)

lint: .venv/.lint ## check style, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: .venv/.lint ## put code into the project's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/.test ## measure, and write docs/benchmarks.md
	$(BIN)/python -m tests.load $(ARGS)

# Marks of what is installed; a changed pyproject.toml installs anew.
.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/.run: pyproject.toml | .venv/bin/python
	$(BIN)/pip install -q --disable-pip-version-check -e .
	@touch $@

.venv/.test: pyproject.toml | .venv/bin/python
	$(BIN)/pip install -q --disable-pip-version-check -e '.[test]'
	@touch $@ .venv/.run

.venv/.lint: pyproject.toml | .venv/bin/python
	$(BIN)/pip install -q --disable-pip-version-check -e '.[test,lint]'
	@touch $@ .venv/.test .venv/.run

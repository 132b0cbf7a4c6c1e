# The two commands of the README are `make run` and `make test`; both set up everything they need.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test check format clean
.DEFAULT_GOAL := run

run: .venv/installed
	$(BIN)/spatialkz run --out results

test: .venv/installed
	$(BIN)/python -m pytest

check: .venv/installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest

format: .venv/installed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Everything pinned in constraints.txt; editable, so that a change in spatialkz/ counts at once.
.venv/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name it with make PYTHON=...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group dev --editable .
	@touch $@

clean:
	rm -rf .venv results build dist

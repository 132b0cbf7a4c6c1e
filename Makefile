# The two commands of the README are `make run` and `make test`; both set up everything they need.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test check format clean constraints pictures
.DEFAULT_GOAL := run

run: .venv/installed
	$(BIN)/spatialkz run --out results

test: .venv/installed
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

check: .venv/installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

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

# Resolve the newest versions that fit pyproject.toml and pin them.
constraints:
	$(PYTHON) -m venv .venv-new
	.venv-new/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	.venv-new/bin/python -m pip install --quiet --group dev .
	echo "# Exact versions that make and the checks install; made by 'make constraints'." > constraints.txt
	.venv-new/bin/python -m pip freeze --exclude spatialkz >> constraints.txt
	rm -rf .venv-new

# The pictures of the README come from the results of make run.
pictures: run
	$(BIN)/spatialkz figures results
	cp results/figures/map.png docs/images/map.png

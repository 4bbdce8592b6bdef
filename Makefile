# Everything a newcomer needs: make demo, make test. The environment is built in .venv when asked for
# and again when pyproject.toml changes.

.PHONY: demo test bench lint docs build clean env

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.stamp
BENCH_STAMP := $(VENV)/.stamp-bench

# The first of these names that runs and is Python 3.12 or newer; a shim that fails is passed over.
FIND_PYTHON = for name in python3 python3.14 python3.13 python3.12 python; do \
	if $$name -c 'import sys; sys.exit(sys.version_info < (3, 12))' >/dev/null 2>&1; then \
	echo $$name; exit 0; fi; done; exit 1

demo: $(STAMP)
	$(BIN)/hepaflux demo

test: $(STAMP)
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

lint: $(STAMP)
	$(BIN)/ruff check src tests
	$(BIN)/ruff format --check src tests
	$(BIN)/mypy

# The pages of the systems, from their declarations; what is written by hand in them is kept.
docs: $(STAMP)
	$(BIN)/python -m hepaflux.pages docs/systems

bench: $(BENCH_STAMP)
	$(BIN)/python benchmarks/run.py

build: $(STAMP)
	rm -rf dist
	$(BIN)/python -m build

env: $(STAMP)

$(STAMP): pyproject.toml
	@python=$$($(FIND_PYTHON)) || { \
	echo "hepaflux needs Python 3.12 or newer, and there is none called python3, python3.14,"; \
	echo "python3.13, python3.12 or python. Install one, for example: apt install python3.13"; \
	echo "python3.13-venv (Debian, Ubuntu), brew install python (macOS), or from python.org."; \
	exit 1; }; \
	echo "Building $(VENV) with $$python"; \
	rm -rf $(VENV); \
	$$python -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable ".[test]"
	@touch $@

$(BENCH_STAMP): $(STAMP)
	$(BIN)/python -m pip install --quiet --editable ".[test,bench]"
	@touch $@

clean:
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache .mypy_cache benchmarks/out
	find src tests benchmarks notebooks -name __pycache__ -type d -prune -exec rm -rf {} +

# `make demo` shows the main job, `make test` passes the tests; both set up all they need.
.PHONY: demo examples test test-slow lint setup clean

PYTHON := .venv/bin/python
# Two processes: what every machine has. `make test JOBS=4` for more.
JOBS ?= 2

demo: setup
	$(PYTHON) examples/digits/run.py

# One of them: `make example-activity`.
example-%: setup
	$(PYTHON) examples/$*/run.py

examples: demo example-activity example-keywords example-anomaly

test: setup lint
	$(PYTHON) -m pytest -n $(JOBS) -m "not slow"

test-slow: setup
	$(PYTHON) -m pytest -n $(JOBS) -m slow

lint: setup
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy

setup:
	@scripts/setup.sh

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis

# Two commands are all you need: `make lab` and `make test`.

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help lab lab-torch lab-tensorflow test check bench mutants doctor clean

help: ## Show what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

lab: $(STAMP) ## Open the course in JupyterLab (Ctrl-C ends it)
	@exec $(BIN)/python -m playground lab

lab-torch: ## Install PyTorch as well (a large download), then do the same
lab-tensorflow: ## Install TensorFlow as well (a large download), then do the same
lab-torch lab-tensorflow: $(STAMP)
	$(BIN)/python -m pip install --disable-pip-version-check -e '.[$(@:lab-%=%)]' -c constraints.txt
	@exec $(BIN)/python -m playground lab

test: $(STAMP) ## Hold the course to its promises, and run every test, on all cores
	$(BIN)/python -m playground course-check
	$(BIN)/python -m pytest -n logical --maxprocesses 8 --dist loadgroup

check: $(STAMP) ## Format, lint, types, and the promises of the course
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m playground course-check

bench: $(STAMP) ## Measure minimal_servers beside production servers (needs wrk)
	$(BIN)/python -m bench

mutants: $(STAMP) ## Change every solution in every way the graders should notice (takes long)
	$(BIN)/python -m playground exercises mutate

doctor: $(STAMP) ## Look at what the course needs from this machine
	@$(BIN)/python -m playground doctor

clean: ## Remove the environment and caches; your workspace stays
	rm -rf $(VENV) build ./*.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -not -path './workspace/*' -exec rm -rf {} +

# The environment, made anew or brought up to date when what it should hold has changed.
$(STAMP): pyproject.toml constraints.txt
	@set -e; \
	if ! $(BIN)/python -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	  for python in $(PYTHON) python3.13 python3.12 python3.11 python3 python; do \
	    if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$python; break; fi; \
	  done; \
	  if [ -z "$$found" ]; then \
	    echo 'The course needs Python 3.11 or newer: install it, or name it with `make PYTHON=/path/to/python3 lab`.' >&2; exit 1; \
	  fi; \
	  echo "Making the environment with $$($$found --version), once …"; \
	  rm -rf $(VENV); \
	  $$found -m venv $(VENV) || { \
	    echo "$$found cannot make environments: install its venv package (Debian, Ubuntu: apt install python3-venv)." >&2; \
	    rm -rf $(VENV); exit 1; }; \
	fi; \
	echo 'Installing the tested versions …'; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]' -c constraints.txt; \
	touch $(STAMP)

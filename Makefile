# The words of the kit: `make up`, `make test`, `make help`.
#
# This file only makes .venv, the kit's own Python environment. What each word
# does stands in Taskfile.yaml, and Task, which runs it, is in .venv too.

# On Windows, run make in WSL or in Git Bash.
PYTHON ?= python3
BIN := .venv/bin
TASK := $(BIN)/task --exit-code

WORDS := up down doctor bases test lint format build ladder help clean \
    buildTask1 buildTask2 buildTask3-1 buildTask3-2 buildTask4 buildTask5

.PHONY: $(WORDS)
.DEFAULT_GOAL := help

$(WORDS): .venv/.ready
	@$(TASK) $@

# Exactly what requirements.txt pins, and no half-made environment: the stamp
# is written last.
.venv/.ready: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "Python: $$($(PYTHON) --version 2>&1); 3.11 or later is needed. Install it, or name one: make PYTHON=python3.12 up" >&2; exit 2; }
	@echo "Setting up .venv, the kit's own Python environment (once)"
	@$(PYTHON) -m venv --clear .venv >/dev/null || \
	    { echo "Python: it cannot make a virtual environment. Install the package python3-venv, then run this again" >&2; exit 2; }
	@$(BIN)/python -m pip install --quiet --no-compile --require-hashes --requirement requirements.txt
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# The words of the kit: `make up`, `make test`, `make help`.
#
# This file only sees to .venv, the kit's own Python environment. What each word
# does stands in Taskfile.yaml, and Task, which runs it, is in .venv too.
#
# On Windows, run make in WSL, or in Git Bash.
ifeq ($(OS),Windows_NT)
    PYTHON ?= python
    BIN := .venv/Scripts
else
    PYTHON ?= python3
    BIN := .venv/bin
endif
TASK := $(BIN)/task --exit-code

# What is imported is compiled once, even where the machine's settings say otherwise:
# else every word, and every test, compiles all it imports anew.
export PYTHONDONTWRITEBYTECODE :=

WORDS := up down doctor bases test test-all lint format build ladder bench bench-check help clean docs reference \
    buildTask1 buildTask2 buildTask3-1 buildTask3-2 buildTask4 buildTask5 \
    testTask1 testTask2 testTask3-1 testTask3-2 testTask4 testTask5 rubric mutants course

.PHONY: $(WORDS)
.DEFAULT_GOAL := help

$(WORDS): .venv/.ready
	@$(TASK) $@

# The stamp is written last: an environment half made is made anew.
.venv/.ready: requirements.txt
	@$(PYTHON) workshop/machine/bootstrap.py
	@touch $@

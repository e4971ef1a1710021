# The commands of the kit: `make up`, `make test`, `make help`.
#
# This file only creates .venv, the kit's Python environment. Taskfile.yaml
# defines the commands, and Task, which runs them, is in .venv too.
#
# On Windows, run make in WSL, or in Git Bash.
ifeq ($(OS),Windows_NT)
    PYTHON ?= python
    BIN := .venv/Scripts
else
    PYTHON ?= python3
    BIN := .venv/bin
endif
# Not named TASK, which is an argument of `make grade`.
RUN := $(BIN)/task --exit-code
BOOTSTRAP := workshop/machine/bootstrap.py

# Let Python cache its bytecode, even if the machine's settings forbid it. Otherwise
# every command and every test compiles its imports again.
export PYTHONDONTWRITEBYTECODE :=

COMMANDS := up down doctor bases pull learn test grade test-all lint format build image-sizes bench bench-grade bench-desk help clean docs reference release-notes \
    buildTask1 buildTask2 buildTask3-1 buildTask3-2 buildTask4 buildTask5 \
    testTask1 testTask2 testTask3-1 testTask3-2 testTask4 testTask5 rubric mutants course hostile platforms

.PHONY: $(COMMANDS)
.DEFAULT_GOAL := help

$(COMMANDS): .venv/.ready
	@$(RUN) $@

# A copied environment runs the code of the other checkout, so it is rebuilt.
FOREIGN := $(shell $(BIN)/python -IS $(BOOTSTRAP) --check 2>/dev/null || echo foreign)

.PHONY: foreign
foreign:

.venv/.ready: requirements.txt $(FOREIGN)
	@$(PYTHON) $(BOOTSTRAP)

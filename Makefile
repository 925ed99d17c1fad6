# flowsim
#   make run      answer the question, from nothing: environment, locked dependencies, flowsim answer
#   make test     every check that CI runs
#   make setup    only the environment of `make run`;  make setup-dev  only that of `make test`
#   make docs     the documentation as a site, in build/docs;  make docs-results  its long computations anew (minutes)
#   make mutants  plant faults and see which the tests notice (hours; goes on where it was stopped)
#   make format   put the sources in order;  make bench  the benchmarks;  make lock  new locks;  make clean
#
# Choose another interpreter with: make PYTHON=python3.12 run

PYTHON ?= python3
WORKERS ?= 2
VENV := .venv
BIN := $(VENV)/bin

# Wheels only: a machine without a compiler must do. Hashes: what was tested is what is installed.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input
LOCKED := $(INSTALL) --only-binary=:all: --require-hashes
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
  --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" pyproject.toml requirements/build.in

# A .venv that works here is kept. One half made, moved along with the folder, or without its Python is made anew.
STAMPS := $(VENV)/.run-lock $(VENV)/.dev-lock $(VENV)/.flowsim
WORKS := $(shell grep -qsF '$(CURDIR)/$(VENV)' $(BIN)/activate && $(BIN)/python -c 'import pip' 2>/dev/null && echo yes)
ifneq ($(WORKS),yes)
  $(shell rm -f $(STAMPS))
endif

export PYTHONNOUSERSITE := 1
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV PYTHONDONTWRITEBYTECODE

# One after another, but for the checks that `make test` starts beside each other.
ifndef BESIDE
.NOTPARALLEL:
endif
.DELETE_ON_ERROR:
.PHONY: run test setup setup-dev tools docs docs-results mutants format bench lock clean venv \
  check-format check-lint check-types check-layers check-docs check-tests check-notebooks

run: setup
	$(BIN)/flowsim answer

# Beside each other what uses one core; then the tests, which use all. The notebooks take longest and begin first.
test: setup-dev
	@$(MAKE) --no-print-directory --jobs=$(WORKERS) --output-sync=target BESIDE=yes \
	  check-format check-lint check-notebooks check-types check-layers check-docs
	@$(MAKE) --no-print-directory check-tests
	@printf '\nAll checks passed.\n'

# ---------------------------------------------------------------- environment

setup: $(VENV)/.run-lock $(VENV)/.flowsim

setup-dev: $(VENV)/.dev-lock $(VENV)/.flowsim

# The stamps are younger than the lock that was installed. The dev lock holds all of the run lock.
$(VENV)/.run-lock: requirements/run.txt | venv
	@echo "Installing the locked dependencies (requirements/run.txt)"
	@$(LOCKED) -r requirements/run.txt
	@touch $@

$(VENV)/.dev-lock: requirements/run.txt requirements/dev.txt | venv
	@echo "Installing the locked dependencies and test tools (requirements/dev.txt)"
	@$(LOCKED) -r requirements/run.txt
	@$(LOCKED) --no-compile -r requirements/dev.txt # what is imported is compiled then: a small part of it
	@touch $@ $(VENV)/.run-lock

$(VENV)/.flowsim: pyproject.toml flowsim/__init__.py | venv
	@echo "Installing flowsim"
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q flowsim # each start would, where an environment says to keep nothing
	@touch $@

venv:
	@[ "$(WORKS)" = yes ] || ./requirements/make-venv "$(PYTHON)" "$(VENV)"

tools:
	@./requirements/get-tools

# ---------------------------------------------------------------- checks

SITE = $(BIN)/python -m sphinx -W --keep-going -q -E -b html docs build/docs
HEADING = @printf '\n== %s\n'

check-format: setup-dev
	$(HEADING) "format (ruff format)"
	@$(BIN)/ruff format --check .

check-lint: setup-dev
	$(HEADING) "lint (ruff check)"
	@$(BIN)/ruff check .

check-types: setup-dev
	$(HEADING) "types (mypy --strict)"
	@$(BIN)/mypy --strict

check-layers: setup-dev
	$(HEADING) "layers (import-linter)"
	@$(BIN)/lint-imports --no-logo

check-docs: setup-dev
	$(HEADING) "documentation (sphinx-build, warnings are errors)"
	@$(SITE)

check-tests: setup-dev tools
	$(HEADING) "tests (pytest)"
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

check-notebooks: setup-dev
	$(HEADING) "notebooks (executed from top to bottom)"
	@$(BIN)/python tests/execute_notebooks.py

# ---------------------------------------------------------------- the rest

docs: setup-dev
	@$(SITE)
	@echo "The site is in build/docs/index.html"

docs-results: setup-dev
	$(BIN)/python docs/generate.py

format: setup-dev
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

bench: setup-dev
	$(BIN)/python benchmarks/run.py

# Beside the locks on purpose: nobody who runs or tests flowsim needs these. One process, one mutant at a time.
MUTATION := build/mutation
mutants: setup-dev
	@mkdir -p $(MUTATION)
	@[ -d $(MUTATION)/cosmic-ray ] || $(INSTALL) --target $(MUTATION)/cosmic-ray cosmic-ray==8.7.0
	@[ -d $(MUTATION)/coverage ] || $(INSTALL) --target $(MUTATION)/coverage coverage==7.17.5
	PYTHONPATH=$(MUTATION)/cosmic-ray $(BIN)/python tests/mutation/mutants.py $(MUTATION)
	PYTHONPATH=$(MUTATION)/coverage $(BIN)/python tests/mutation/judge.py $(MUTATION) cover
	$(BIN)/python tests/mutation/judge.py $(MUTATION) judge
	$(BIN)/python tests/mutation/judge.py $(MUTATION) write

# Keeps the pinned versions that still fit; `make lock UPGRADE=--upgrade` takes the newest.
lock: setup-dev
	$(COMPILE) $(UPGRADE) --output-file requirements/run.txt
	$(COMPILE) $(UPGRADE) --constraint requirements/run.txt --extra app --extra cluster --extra research --extra dev \
	  --output-file requirements/dev.txt
	$(COMPILE) $(UPGRADE) --constraint requirements/dev.txt --extra app --output-file requirements/app.txt

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

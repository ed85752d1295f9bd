# Everything runs from .venv/, which is made from requirements.lock (hash-checked).
#   make run                      the app on http://127.0.0.1:8000 (PORT=, WEB_CONCURRENCY=, ACADEMIA_VAR=)
#   make test | lint              what .ci/run runs
#   make test-browser             only the screens in a real Chromium (Debian's `chromium`)
#   make test-pythons             the unit and conformance tests on Python 3.12 and 3.13, where installed
#   make faults                   every fault of the catalogue, the slow ones too (tests/fault)
#   make mutants                  breaks a copy of the source in known ways: which test notices?
#   make simulate                 whole hosts in one thread (SEEDS=10000), or one step by step (SEED=, FAULTS=)
#   make sweep                    fails every step of the journal's disk in turn, in every way: half an hour
#   make fuzz                     hostile input by the thousand (EXAMPLES=2000 of each kind)
#   make drill                    a rehearsal of outages (MINUTES=, SEED=, FAULTS=, RECORD=1)
#   make pictures                 takes the README's pictures anew (needs Chromium)
#   make lock                     remakes requirements.lock from pyproject.toml
# PYTHON=… chooses the interpreter (3.11 or newer).

PYTHON ?=
CANDIDATES := $(or $(PYTHON),python3 python3.13 python3.12 python3.11 /usr/bin/python3)
STAMP := .venv/.installed
PYTHONS ?= python3.12 python3.13
# Two `make` at once in one checkout take turns where the system has flock.
ONE_AT_A_TIME := $(if $(shell command -v flock 2>/dev/null),flock .venv.lock)

# The lock and pip's answers must not depend on a terminal, a home folder or a question.
export PIP_NO_INPUT := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: .venv run test test-browser test-pythons faults fuzz lint simulate sweep drill mutants pictures lock
.DELETE_ON_ERROR:

.venv:
	@$(ONE_AT_A_TIME) $(MAKE) -s --no-print-directory $(STAMP) </dev/null

# A copied or moved checkout has a .venv whose scripts point to the old place: it is made again.
ifneq ($(shell cat $(STAMP) 2>/dev/null),$(CURDIR))
.PHONY: $(STAMP)
endif

$(STAMP): requirements.lock pyproject.toml
	@set -e; \
	if [ "$$(cat $(STAMP) 2>/dev/null)" != "$(CURDIR)" ] || ! .venv/bin/python -c '' 2>/dev/null; then \
	    for python in $(CANDIDATES); do \
	        if "$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	        then found="$$python"; break; fi; \
	    done; \
	    if [ -z "$${found:-}" ]; then \
	        echo "No Python 3.11 or newer with venv among: $(CANDIDATES). Install python3-venv, or say PYTHON=/path/to/python3." >&2; \
	        exit 3; \
	    fi; \
	    "$$found" -m venv --clear .venv; \
	fi; \
	rm -f $(STAMP); \
	.venv/bin/python -m pip install --quiet --require-hashes -r requirements.lock; \
	.venv/bin/python -m pip install --quiet --no-deps --no-build-isolation -e .; \
	printf '%s\n' "$(CURDIR)" > $(STAMP)

# `exec`: make's own child is the supervisor, so that a signal to make reaches it.
run: .venv
	@exec .venv/bin/python -m academia.supervisor

# The screens come last: each of their files has an app and a browser to itself.
test: .venv
	.venv/bin/python -m pytest -n 3 --ignore tests/browser
	@$(MAKE) --no-print-directory test-browser

test-browser: .venv
	.venv/bin/python -m pytest -n 2 --dist loadfile tests/browser

# What `make test` runs of the faults, and the slow files beside.
faults: .venv
	.venv/bin/python -m pytest -n 3 tests/fault tests/fault/slow_*.py

# EXAMPLES of each kind, others each time; a failure prints the line that repeats it.
fuzz: EXAMPLES ?= 2000
fuzz: .venv
	EXAMPLES=$(EXAMPLES) .venv/bin/python -m pytest -n 2 --timeout 0 tests/property tests/integration/test_hostile_forms.py

# The other Pythons that are installed, each in a .venv of its own below build/.
test-pythons:
	@for python in $(PYTHONS); do \
	    if ! $$python -c '' 2>/dev/null; then echo "$$python is not installed: SKIPPED"; continue; fi; \
	    echo "$$python: unit, property and conformance tests"; \
	    $$python -m venv build/$$python && \
	    build/$$python/bin/python -m pip install --quiet --require-hashes -r requirements.lock && \
	    build/$$python/bin/python -m pip install --quiet --no-deps --no-build-isolation -e . && \
	    build/$$python/bin/python -m pytest -q -n 3 tests/unit tests/property tests/conformance || exit 1; \
	done

lint: .venv
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

# Flipped bits and cut files first; then every operation of the journal, every fault, every step. The
# last line is `losing points 0`.
sweep: .venv
	.venv/bin/python -m tests.sweep.damage
	@exec .venv/bin/python -m tests.sweep

# SEED, or SEEDS and FIRST, and FAULTS reach it through the environment.
simulate: .venv
	@exec .venv/bin/python -m tests.simulation

# MINUTES, SEED, FAULTS and RECORD reach it through the environment.
drill: .venv
	@exec .venv/bin/python -m drill

# ONLY= names some of them.
mutants: .venv
	@exec .venv/bin/python -m tests.mutants $(ONLY)

pictures: .venv
	@.venv/bin/python -m tests.support.pictures

# uv has a folder of its own: it resolves the lock and is no part of what is locked.
lock:
	@python3 -m venv build/uv
	@build/uv/bin/python -m pip install --quiet uv
	build/uv/bin/uv pip compile --quiet --universal --python-version 3.11 --all-extras --generate-hashes \
	    --no-emit-index-url --no-header --no-emit-package robusto --output-file requirements.lock pyproject.toml

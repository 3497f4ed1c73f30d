# The ways to run and test medlist; `make help` lists them. Everything happens in .venv, made from requirements.lock.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory
SHELL := /bin/bash

BIN := .venv/bin
READY := .venv/.medlist-setup
PYTEST := $(BIN)/python -m pytest -q
# Tests that mostly wait for processes and brokers run several at once, and beside those that compute.
UNIT := $(PYTEST) -m 'not kafka and not slow' --dist worksteal
WAITING := tests/streams/topology tests/streams/command
# The tests on a real Kafka share one broker. Those that share something else that takes long to make are marked xdist_group, and
# stay together. Only files with such marks are read, or each process would import all.
REAL := $(BIN)/python -m tests.kafka.shared $(PYTEST) -m 'kafka or slow' -n 4 --dist loadgroup --timeout=300 --durations=5
REAL_FILES = $(shell grep -rlE 'mark\.(kafka|slow)\b' tests --include='test_*.py')
CODE := contracts mappings connectors streams tests deploy

.PHONY: help
help: ## this list
	@sed -nE 's/^([a-z-]+):.*## (.*)$$/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

.PHONY: setup
setup: $(READY) ## make .venv from the lock (done by itself before everything else)

$(READY): requirements.lock pyproject.toml deploy/local/setup.sh
	@deploy/local/setup.sh

.PHONY: demo
demo: $(READY) ## one patient's week, end to end, on an embedded broker
	@$(BIN)/medlist demo

.PHONY: test
test: lint unit integration published ## lint, unit tests, integration tests on a real Kafka, and what they published

.PHONY: lint
lint: $(READY) ## rules, format, types, import directions
	@echo '== lint'
	@mkdir -p build
	@$(BIN)/ruff check --quiet $(CODE)
	@$(BIN)/ruff format --quiet --check $(CODE) || { echo 'run: make format'; exit 1; }
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo > build/lint-imports.txt 2>&1 || { cat build/lint-imports.txt; exit 1; }

.PHONY: format
format: $(READY) ## let ruff format the code
	@$(BIN)/ruff format --quiet $(CODE)

.PHONY: unit
unit: $(READY) ## the fast tests (under a minute)
	@echo '== unit tests'
	@mkdir -p build && rm -rf build/published
	@$(UNIT) -n 6 -o cache_dir=build/pytest-waiting $(WAITING) > build/unit-waiting.txt 2>&1 & waiting=$$!; \
	  $(UNIT) -n 2 tests $(addprefix --ignore=,$(WAITING)); computing=$$?; \
	  wait $$waiting; waited=$$?; cat build/unit-waiting.txt; exit $$((computing | waited))

.PHONY: integration
integration: $(READY) ## the tests on a real Kafka, and the slow ones
	@echo '== integration tests'
	@$(BIN)/python -m tests.prepared
	@$(REAL) $(REAL_FILES)

.PHONY: kafka
kafka: $(READY) ## run a real Kafka in the foreground
	@$(BIN)/python -m tests.kafka.broker

.PHONY: published
published: $(READY) ## validate everything FHIR that the tests published, with an independent validator
	@echo '== published'
	@$(BIN)/python -m tests.published

.PHONY: bench
bench: $(READY) ## benchmarks; BENCH=name runs one; results in build/bench/
	@mkdir -p build/bench
	@for name in $(or $(BENCH),$(basename $(notdir $(wildcard tests/benchmarks/[a-z]*.py)))); do \
	  echo "== bench $$name"; $(BIN)/python -m "tests.benchmarks.$$name" || exit 1; done

.PHONY: faults
faults: $(READY) ## random faults against the whole system; FAULTS=short for a few minutes, BROKERS=3 strikes three brokers
	@$(BIN)/python -m tests.faults $(or $(FAULTS),long) $(if $(BROKERS),--brokers $(BROKERS))

.PHONY: faults-publishing
faults-publishing: $(READY) ## the publisher killed among endpoint faults; ARGS='--patients 300 --changes 3000'
	@$(BIN)/python -m tests.faults.publishing $(ARGS)

.PHONY: schemas
schemas: $(READY) ## regenerate the JSON Schemas and FHIR code systems of the contracts
	@$(BIN)/python -m contracts.schemas && $(BIN)/python -m contracts.code_systems

.PHONY: mutants
mutants: $(READY) ## mutation testing of the reconciler; MUTANTS='streams.reconcile.ids*' for a part
	@HYPOTHESIS_PROFILE=brief $(BIN)/mutmut run $(if $(MUTANTS),'$(MUTANTS)')

.PHONY: lock
lock: ## write requirements.lock from pyproject.toml; UPGRADE=1 takes newer versions
	@deploy/local/lock.sh

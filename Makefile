# `make` alone lists what there is. Needs Python 3.11 or later and make.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
ARGS   ?=

export SAM_CLI_TELEMETRY := 0
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# How many processes, and what stays together in one of them: tests/conftest.py.
SIDE_BY_SIDE := --numprocesses auto

PINS    := layers/dependencies/requirements.txt
PIP     := $(BIN)/python -m pip install --quiet --constraint $(PINS)
SAM     := .venv-sam/bin/sam
VENV313 := .venv-3.13

.DEFAULT_GOAL := help
.PHONY: help run test check bench eval mutants build deploy clean

help: ## Show this
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: $(VENV)/run ## Start the desk on this machine and play the scene (ARGS=--once: play it, check it, end)
	@$(BIN)/sportello run $(ARGS)

test: $(VENV)/test $(if $(filter-out tests/browser%,$(ARGS)),,browser) ## Run the tests (ARGS='...' goes to pytest)
	$(BIN)/pytest $(or $(ARGS),$(SIDE_BY_SIDE))
	@$(if $(ARGS),,$(MAKE) --no-print-directory test-3.13)

check: $(VENV)/check $(SAM) ## Lint, types, layering, template, build
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	.venv-sam/bin/cfn-lint infra/template.yaml
	$(SAM) validate --region us-east-1
	@$(MAKE) --no-print-directory build
	$(BIN)/python -m infra.engine.imports

bench: $(VENV)/test ## Measure cold and warm starts, throughput and cost
	@$(BIN)/python -m tests.bench $(ARGS)

eval: $(VENV)/test ## Score what the desk understands on labelled sets (.local/eval.json)
	@$(BIN)/python -m tests.eval $(ARGS)

mutants: $(VENV)/test ## Break the core in known ways and see that the tests notice
	@$(BIN)/python -m tests.mutants $(ARGS)

build: $(VENV)/run $(SAM) ## Build functions and layers for AWS
	$(SAM) build

deploy: build ## Deploy to AWS (the first time: ARGS=--guided)
	$(SAM) deploy $(ARGS)

clean: ## Remove environments, builds and the local desk with its data
	rm -rf .venv .venv-sam .venv-3.13 .local .aws-sam *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

# ----- environments: one, with more in it the more is asked of it ---------------------------------------

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Sportello needs Python 3.11 or later, and $(PYTHON) is $$($(PYTHON) --version 2>/dev/null || echo not there)."; \
	  echo "Name another one: make $(or $(MAKECMDGOALS),run) PYTHON=python3.13"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/run: pyproject.toml $(PINS) | $(BIN)/python
	@echo "Installing what the desk needs (once)"
	@started=$$(date +%s); $(PIP) --editable '.[local]' && echo "Installed in $$(($$(date +%s) - started)) s"
	@touch $@

$(VENV)/test: $(VENV)/run
	@echo "Installing what the tests need (once)"
	@$(PIP) --editable '.[local,test]'
	@touch $@

$(VENV)/check: $(VENV)/test
	@echo "Installing what the checks need (once)"
	@$(PIP) --editable '.[local,test,check]'
	@touch $@

# The tests of the widget need a Chromium: the machine's own, Debian's where one may install it, or
# Playwright's.
CHROMIUM := $(shell command -v chromium || command -v chromium-browser || command -v google-chrome || \
  command -v google-chrome-stable)

.PHONY: browser
ifdef CHROMIUM
browser:
else
browser: $(VENV)/test
	@echo "Installing Chromium for the tests of the widget (once)"
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null; \
	else $(BIN)/playwright install chromium; fi || { \
	  echo "No Chromium could be installed. Install one, or leave its tests out: make test ARGS=--ignore=tests/browser"; exit 1; }
endif

# SAM's own pins contradict ours of boto3: it lives apart.
$(SAM): | $(BIN)/python
	@echo "Installing the SAM CLI (once, a minute or two)"
	@$(BIN)/python -m venv .venv-sam
	@.venv-sam/bin/python -m pip install --quiet aws-sam-cli==1.170.0 cfn-lint==1.58.0
	@touch $@

# ----- the same tests under the Python that Lambda runs, where the machine has it ------------------------

include layers/python.mk

.PHONY: test-3.13
ifdef PYTHON313
test-3.13: $(VENV313)/test
	@echo "The unit and contract tests on Python 3.13, which Lambda runs:"
	$(VENV313)/bin/pytest $(SIDE_BY_SIDE) tests/unit tests/contract
else
test-3.13: $(BIN)/python
	@echo "No Python 3.13 here, which Lambda runs: the tests ran on $$($(BIN)/python --version) only."
endif

$(VENV313)/test: pyproject.toml $(PINS)
	@echo "Installing what the tests need for Python 3.13 (once)"
	@$(PYTHON313) -m venv $(VENV313)
	@$(VENV313)/bin/python -m pip install --quiet --constraint $(PINS) --editable '.[local,test]'
	@touch $@

# fargatectl: every target sets up what it needs. `make help` lists them.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.PHONY: help demo test torture bench diagnosis check audit fix docs clean

help: ## List the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("fargatectl needs Python 3.11 or newer; try: make PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing fargatectl and its tools into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@$(BIN)/python -m compileall -q fargatectl
	@touch $@

demo: $(STAMP) ## Deploy, change and destroy a service on the local AWS: no account needed
	@BIN=$(CURDIR)/$(BIN) ./examples/demo.sh

# Bytecode is written whatever the environment says: it keeps the rewritten assertions for the next run.
test: $(STAMP) ## Run the whole suite
	@PYTHONDONTWRITEBYTECODE= $(BIN)/pytest -n auto --dist worksteal -q

torture: $(STAMP) ## Try every fault at every call, pairs of faults and orders of steps: an hour or two
	@$(BIN)/python -m tests.faults
	@for seed in 1 2 3; do for then in crash-after denied lost stale-2; do \
		$(BIN)/python -m tests.faults --fault crash-after --fault lost --then $$then --seed $$seed || exit 1; done; done
	@FARGATECTL_TORTURE=1 $(BIN)/pytest -q tests/faults/test_life.py

bench: $(STAMP) ## Measure it from outside, into docs/performance.md: 20 minutes (QUICK=1: a minute, writes nothing; MOST=50: no more services; PLUGINS=FOLDER: Terraform's provider)
	@$(BIN)/python -m tests.bench $(if $(QUICK),--quick) $(if $(MOST),--most $(MOST)) $(if $(PLUGINS),--plugins $(PLUGINS))

diagnosis: $(STAMP) ## Print precision and recall of every known cause of failed deployments
	@$(BIN)/python -m tests.rollout.diagnosed

check: $(STAMP) ## Lint, format, types, layers, dependencies
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/deptry fargatectl

audit: $(STAMP) ## Look for known vulnerabilities in the dependencies
	@$(BIN)/pip-audit --progress-spinner off

fix: $(STAMP) ## Format and mend what can be mended mechanically
	@$(BIN)/ruff check --fix --exit-zero
	@$(BIN)/ruff format

docs: $(STAMP) ## Build the documentation into site/
	@$(BIN)/mkdocs build --strict

clean: ## Remove the virtual environment and all caches
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis site dist

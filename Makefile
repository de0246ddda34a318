# The commands of the house. `make help` lists them.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
PORT ?= 8000
BIN := $(VENV)/bin
SITE := _build/html
BUILD := $(BIN)/jupyter-book build . -n -W --keep-going
SERVE := $(BIN)/python -m http.server --bind 127.0.0.1 --directory $(SITE) $(PORT)
FRONT_END := widgets/flipcards
NPM := cd $(FRONT_END) && PATH="$(abspath $(BIN)):$$PATH" npm
PIP := $(BIN)/python -m pip install --quiet
# Tools for one command each, which neither a build nor the tests need. Installed when that command is first run.
UV := uv==0.13.9
WATCHFILES := watchfiles==1.3.0
LIGHTHOUSE := lighthouse@13.5.0
# The newest of the release that Sphinx names in its default address of MathJax.
MATHJAX := mathjax@3.2.2
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Matplotlib's list of fonts and its settings belong to the environment: figures do not depend on what other
# environments of the same user left in his cache, or on his matplotlibrc.
export MPLCONFIGDIR := $(abspath $(VENV))/matplotlib

.PHONY: help book serve watch test install-tests chromium lint pytest bench audit hosts mathjax bundle requirements clean
.DELETE_ON_ERROR:

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

# The environment. A stamp file in it says what is installed; nothing is installed twice.
$(BIN)/python:
	@$(or $(PYTHON),false) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed. If it is not the first on the PATH: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -f $@; \
	  echo "Python's venv module is incomplete. On Debian: apt-get install python3-venv (or python3.11-venv)" >&2; exit 1; }

$(VENV)/.book: requirements.txt $(wildcard widgets/*/pyproject.toml) | $(BIN)/python
	$(PIP) --requirement requirements.txt
	@$(BIN)/python -c 'import matplotlib.font_manager'
	@touch $@

$(VENV)/.tests: tests/requirements.txt $(VENV)/.book
	$(PIP) --requirement tests/requirements.txt
	@touch $@

# Node is in the environment too: the tests' requirements bring it.
$(FRONT_END)/node_modules/.package-lock.json: $(FRONT_END)/package-lock.json $(VENV)/.tests
	$(NPM) ci --ignore-scripts --no-audit --no-fund --loglevel error
	@touch $@

$(VENV)/.bench: bench/requirements.txt $(VENV)/.tests
	$(PIP) --requirement bench/requirements.txt
	@touch $@

$(VENV)/.watchfiles: Makefile $(VENV)/.book
	$(PIP) $(WATCHFILES)
	@touch $@

book: $(VENV)/.book ## build the site into _build/html
	$(BUILD)
	@echo "Open $(SITE)/index.html in a browser, or run: make serve"

serve: book ## build the site, then serve it on http://127.0.0.1:8000 (another port: PORT=8001)
	$(SERVE)

# By polling: a watched file that an editor replaces on saving would be lost otherwise.
watch: export WATCHFILES_FORCE_POLLING := true
watch: $(VENV)/.watchfiles ## serve the site and build it again whenever a source changes; reload the page to see it
	@mkdir -p $(SITE)
	@$(SERVE) & server=$$!; trap "kill $$server" EXIT; trap "exit 130" INT TERM; \
	$(BIN)/watchfiles --sigint-timeout 60 "$(BUILD)" chapters assets $(wildcard widgets/*/src) _config.yml _toc.yml

# $(call stage,target): make the target and print how long it took.
stage = +@start=$$(date +%s); $(MAKE) --no-print-directory $(1) && echo "== make $(1): $$(($$(date +%s) - start)) s =="

test: ## install what the tests need, then lint, build and test everything
	$(call stage,install-tests)
	$(call stage,chromium)
	$(call stage,lint)
	$(call stage,book)
	$(call stage,pytest)

install-tests: $(VENV)/.tests $(FRONT_END)/node_modules/.package-lock.json

chromium: $(VENV)/.tests
	@$(BIN)/python tests/ensure_chromium.py

lint: $(VENV)/.tests ## check format, style and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

# nbval runs every cell of the chapters in a fresh kernel; the tests look at the site as it is built.
# Two at a time, a file whole in one of them: fixtures of a file are made once, and its tests keep their order.
pytest: $(VENV)/.tests ## run the tests alone, on the site as it was built last; ARGS go to pytest
	$(BIN)/python -m pytest --nbval-lax --nbval-current-env $(or $(ARGS),--numprocesses 2 --dist loadfile chapters tests)

bench: $(VENV)/.bench chromium book ## measure cards, study, flipbooks, packages, tables and light pages beside others, for some minutes; ARGS go to bench/cards.py
	$(BIN)/python bench/cards.py $(ARGS)
	$(BIN)/python bench/study.py
	$(BIN)/python bench/flipbook.py
	$(BIN)/python bench/anki.py
	$(BIN)/python bench/tables.py
	$(BIN)/python bench/lightbook.py

$(VENV)/lighthouse/.lighthouse: Makefile $(VENV)/.tests
	@mkdir -p $(@D)
	cd $(@D) && PATH="$(abspath $(BIN)):$$PATH" npm install --prefix . --ignore-scripts --no-audit --no-fund --loglevel error $(LIGHTHOUSE)
	@touch $@

audit: $(VENV)/lighthouse/.lighthouse chromium book ## let Lighthouse look at every page as on a phone, some ten minutes; not in CI; ARGS go to bench/audit.py
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python bench/audit.py $(VENV)/lighthouse/node_modules/.bin/lighthouse $(ARGS)

# An environment of its own: these hosts want other versions of what the book needs.
$(VENV)/hosts/.hosts: bench/hosts-requirements.txt $(wildcard widgets/*/pyproject.toml) | $(BIN)/python
	$(BIN)/python -m venv $(VENV)/hosts
	$(VENV)/hosts/bin/python -m pip install --quiet --requirement bench/hosts-requirements.txt
	$(VENV)/hosts/bin/python -m pip install --quiet --editable widgets/texmath --editable widgets/flipcards
	@touch $@

hosts: $(VENV)/hosts/.hosts $(VENV)/.tests chromium ## show a deck in Voilà and marimo, and look at it in Chromium; not in CI
	$(BIN)/python bench/hosts.py $(VENV)/hosts/bin/python

$(VENV)/mathjax/.mathjax: Makefile $(VENV)/.tests
	@mkdir -p $(@D)
	cd $(@D) && PATH="$(abspath $(BIN)):$$PATH" npm install --prefix . --ignore-scripts --no-audit --no-fund --loglevel error $(MATHJAX)
	@touch $@

mathjax: $(VENV)/mathjax/.mathjax chromium ## set formulas beside MathJax in a book and in JupyterLab, and draw the pictures of widgets/texmath/docs; not in CI
	$(BIN)/python bench/mathjax.py $(VENV)/mathjax/node_modules/mathjax $(ARGS)

bundle: $(FRONT_END)/node_modules/.package-lock.json ## bundle the front end of the cards again
	$(NPM) run build

requirements: | $(BIN)/python ## compile both requirements.txt from their .in files; newer versions with UPGRADE=--upgrade
	$(PIP) $(UV)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header $(UPGRADE) requirements.in --output-file requirements.txt
	@grep -v '^-e' requirements.txt > $(VENV)/constraints.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate $(UPGRADE) tests/requirements.in --constraint $(VENV)/constraints.txt --output-file tests/requirements.txt

clean: ## remove what was built; the environment stays
	rm -rf _build

# Two commands for a newcomer: `make demo` and `make test`. `make help` lists the rest.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DEV_PACKAGE := -e ".[dev,clip,vlm,robot,mcp,remote]"
# CPU builds of torch live on PyTorch's own index; it is used only where it answers (PyPI's build brings CUDA).
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu

.DEFAULT_GOAL := help
.PHONY: help setup dev demo test lint check chaos soak web clean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## */  make \1\t/' | expand -t 20

setup: $(VENV)/.installed  ## install hippocam into .venv

dev: $(VENV)/.installed-dev  ## the same with the tools for developers

demo: setup  ## watch a real clip (or VIDEO=path), ask two questions (or QUESTION="..."), print the answers
	@$(BIN)/python -m hippocam.apps.demo $(if $(VIDEO),--video "$(VIDEO)") $(if $(QUESTION),--question "$(QUESTION)")

test: dev  ## run the tests, in a process a core
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile

lint: dev  ## format, lint, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint test  ## all that must hold before a change lands

COUNT ?= 20
TRIES ?=
SEED ?= 1
HOURS ?= 0
chaos: dev  ## kills, full disks, damage and mutated files for a few minutes (or COUNT=500 SEED=7, or HOURS=8), into docs/reliability.md
	$(BIN)/python tests/chaos.py --count $(COUNT) --seed $(SEED) --hours $(HOURS) $(if $(TRIES),--tries $(TRIES)) --write docs/reliability.md

MINUTES ?= 10
soak: dev  ## several cameras for ten minutes (or MINUTES=1440, VIDEO=path): drops, latency, memory, disk, into docs/soak.md
	$(BIN)/python tests/soak.py --minutes $(MINUTES) $(if $(VIDEO),--video "$(VIDEO)") --write docs/soak.md

web: setup  ## open the page
	$(BIN)/hippocam web

clean:  ## remove what the targets made
	rm -rf $(VENV) demo-memory build *.egg-info

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "hippocam needs Python 3.11 or newer: make PYTHON=/path/to/python3.11"; exit 2; }
	@$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 || { rm -rf $(VENV); \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "installing python3-venv"; apt-get update -qq && apt-get install -qq -y python3-venv >/dev/null; fi; \
	  $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "no venv module: apt install python3-venv"; exit 2; }; }

# pip with the pinned versions; a machine without libGL (a bare server) gets OpenCV's headless build instead. Asking
# for one small package first tells in a second whether pip reaches its index; pip itself would try for minutes.
define install
	@$(BIN)/python -m pip install -q --dry-run --ignore-installed --no-deps --retries 0 --timeout 15 tqdm >/dev/null 2>&1 \
	  || { echo "no network: pip does not reach its package index; connect (or set pip's proxy or index), then run make again"; exit 2; }
	@index=$$($(BIN)/python -c "import urllib.request as u; u.urlopen('$(TORCH_INDEX)/torch/', timeout=5)" 2>/dev/null \
	  && echo "--extra-index-url $(TORCH_INDEX)"); \
	$(BIN)/python -m pip install --disable-pip-version-check -q $$index -c constraints.txt $(1)
	@$(BIN)/python -c "import cv2" 2>/dev/null || { $(BIN)/python -m pip uninstall -q -y opencv-python; \
	  $(BIN)/python -m pip install --disable-pip-version-check -q --no-deps --force-reinstall \
	    opencv-python-headless==$$(sed -n 's/^opencv-python==//p' constraints.txt); }
endef

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing hippocam into $(VENV) (a minute or two)"
	$(call install,-e .)
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@echo "installing the developers' tools"
	$(call install,$(DEV_PACKAGE))
	@touch $@

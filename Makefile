# `make demo` sets up and runs the main job; `make test` sets up what tests need and passes them. PYTHON=python3.12 chooses another.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test check bench browser setup format clean

demo: $(VENV)/.installed
	$(BIN)/monitor demo

test: $(VENV)/.tests-installed
	$(BIN)/python -m pytest

check: $(VENV)/.tests-installed
	$(BIN)/python -m tests.check

format: $(VENV)/.tests-installed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# What the tests in tests/browser need; without it `make test` leaves them out and says so. As root on Debian or Ubuntu, with node and npm.
browser:
	command -v chromium >/dev/null || { apt-get -qq update && apt-get -qq install -y chromium >/dev/null; }
	cd tests/browser && npm install --no-package-lock --no-audit --no-fund --silent

bench: $(VENV)/.tests-installed
	$(BIN)/python -m benchmarks --table

setup: $(VENV)/.installed

# torch comes first and alone, so that its CPU build is taken: uv knows where PyTorch keeps those; where that is out of reach,
# the package registry is asked, but a build that brings CUDA's several GB is refused.
TORCH := torch>=2.4,<2.14
PIP := $(BIN)/pip --quiet --disable-pip-version-check

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) install uv
	UV_HTTP_RETRIES=0 UV_HTTP_TIMEOUT=20 $(BIN)/uv pip install --quiet --python $(BIN)/python --torch-backend cpu '$(TORCH)' 2>/dev/null \
	  || { if $(PIP) install --dry-run --ignore-installed --report - '$(TORCH)' 2>/dev/null | grep -q '"name": "nvidia'; then \
	         echo 'make: no CPU build of torch can be had here; install one into $(VENV) and run make again' >&2; exit 1; fi; \
	       $(PIP) install '$(TORCH)'; }
	$(PIP) install --constraint constraints.txt --editable .
	touch $@

$(VENV)/.tests-installed: $(VENV)/.installed
	$(PIP) install --constraint constraints.txt --editable '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) demo-output

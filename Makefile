# Everything runs in .venv, which `make install` creates; only Python 3.11 and make are needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: install quickstart test test-slow lint benchmark benchmark-campaign benchmark-samplers benchmark-toys calibration docs paper epochs data-page clean

install: $(STAMP)

$(STAMP): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "zpfit needs Python 3.11 or later; set PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	touch $(STAMP)

quickstart: install
	$(BIN)/zpfit run quickstart --output output/quickstart --force
	@echo
	@echo "Look at output/quickstart/corner.png, pulls.png and trace.png"

test: install lint
	$(BIN)/python -m pytest -n 2 --dist loadgroup

test-slow: install
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m slow

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

benchmark: install
	$(BIN)/python benchmarks/likelihood.py
	$(BIN)/python benchmarks/models.py
	$(BIN)/python benchmarks/explore.py

benchmark-campaign: install
	$(BIN)/python benchmarks/campaign.py

benchmark-samplers: install
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[benchmark]'
	$(BIN)/python benchmarks/samplers.py --plot output/samplers.png

benchmark-toys: install
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/toys.py

# The site of docs/, in output/site; a warning is an error.
docs: install
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet
	@echo "Open output/site/index.html"

# Writes docs/paper again.
paper: install
	$(BIN)/zpfit paper --output docs/paper --force

# Writes docs/data.md and its images again.
data-page: install
	$(BIN)/zpfit data page --output docs

# Fits every model to every epoch of data, half an hour to an hour, and writes docs/what-changed.md again.
epochs: install
	$(BIN)/zpfit epochs --output output/epochs --force
	cp output/epochs/what-changed.md docs/

calibration: install
	$(BIN)/python tests/calibration.py

clean:
	rm -rf $(VENV) output build dist

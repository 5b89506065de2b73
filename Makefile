# Everything runs in .venv, which `make install` creates; only Python 3.11 or later and make are needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# The tests of a file share their fixtures in one process; tests/conftest.py orders the files.
# An empty PYTHONDONTWRITEBYTECODE lets processes share compiled modules and rewritten tests.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest --mpl -n 2 --dist loadfile --no-loadscope-reorder
RUFF := $(BIN)/ruff check . && $(BIN)/ruff format --check .
INSTALLED := $(VENV)/.installed
DEVELOPED := $(VENV)/.developed

.PHONY: install develop quickstart test test-slow versions lint benchmark benchmark-beyond benchmark-campaign benchmark-engines benchmark-samplers benchmark-scaling benchmark-toys calibration docs docs-serve docs-numbers paper epochs vectors x17 atlas data-page clean

# What a user needs: every command of the README.
install: $(INSTALLED)

# What tests, linters and the documentation need besides.
develop: $(DEVELOPED)

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "zpfit needs Python 3.11 or later; set PYTHON=...")'
	$(PYTHON) -m venv $(VENV)

$(INSTALLED): pyproject.toml | $(BIN)/python
	$(PIP) --editable '.[report,explore]'
	touch $(INSTALLED)

$(DEVELOPED): pyproject.toml | $(BIN)/python
	$(PIP) --editable '.[test]'
	touch $(INSTALLED) $(DEVELOPED)

quickstart: install
	$(BIN)/zpfit run quickstart --output output/quickstart --force
	@echo
	@echo "Look at output/quickstart/corner.png, pulls.png and trace.png"

# Types are checked beside the tests, which leave a core idle now and then; both must pass.
test: develop
	$(RUFF)
	@$(BIN)/mypy > $(VENV)/types.txt 2>&1 & types=$$!; \
	$(PYTEST); tests=$$?; \
	wait $$types; types=$$?; \
	echo "mypy:"; cat $(VENV)/types.txt; \
	exit $$((tests + types))

test-slow: develop
	$(PYTEST) -m slow

# Tests on Python 3.11, 3.12 and 3.13, where found, and with the oldest allowed dependencies.
versions: develop
	$(PIP) 'nox>=2024.10'
	$(BIN)/nox

lint: develop
	$(RUFF)
	$(BIN)/mypy

benchmark: install
	$(BIN)/python benchmarks/likelihood.py
	$(BIN)/python benchmarks/models.py
	$(BIN)/python benchmarks/explore.py
	$(BIN)/python benchmarks/waits.py --page docs/benchmarks.md

benchmark-campaign: install
	$(BIN)/python benchmarks/campaign.py

benchmark-beyond: develop
	$(BIN)/python benchmarks/beyond.py

benchmark-samplers: install
	$(PIP) --editable '.[benchmark]'
	$(BIN)/python benchmarks/samplers.py --plot output/samplers.png --json output/samplers.json

benchmark-engines: install
	$(PIP) --editable '.[benchmark]'
	$(BIN)/python benchmarks/engines.py --json benchmarks/engines.json --page docs/benchmarks.md

benchmark-scaling: develop
	$(BIN)/python benchmarks/scaling.py --json benchmarks/scaling.json --plot docs/images/scaling.png --page docs/benchmarks.md

benchmark-toys: install
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/toys.py

# The site of docs/, in output/site; a warning is an error.
docs: develop
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet
	@echo "Open output/site/index.html; make docs-serve also lets you search"

# The site at http://127.0.0.1:8000, with search, which browsers refuse to pages opened as files.
docs-serve: develop
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs serve

# Runs the commands of the tutorial and writes the numbers that they print into it, in some minutes.
docs-numbers: develop
	$(BIN)/python tests/printed.py docs/tutorial.md

# Writes docs/paper again.
paper: install
	$(BIN)/zpfit paper --output docs/paper --force

# Writes docs/data.md and its images again.
data-page: install
	$(BIN)/zpfit data page --output docs

# Fits every model to every epoch of data, in some minutes, and writes docs/what-changed.md again.
epochs: install
	$(BIN)/zpfit epochs --output output/epochs --force
	cp output/epochs/what-changed.md docs/

# Writes docs/light-vectors.md and its figures again, in some minutes.
vectors: install
	$(BIN)/zpfit vectors --output docs --force

# Writes docs/x17.md, its figures and its numbers again, in about half an hour.
x17: install
	$(BIN)/zpfit x17 --output output/x17 --force
	cp -r output/x17/x17.md output/x17/x17 docs/

# Writes docs/atlas-survivors.md, its figures and its numbers again, in an hour and a half.
atlas: install
	$(BIN)/zpfit atlas survey --output output/atlas_survey --force
	cp -r output/atlas_survey/atlas-survivors.md output/atlas_survey/atlas-survivors docs/

calibration: develop
	$(BIN)/python tests/calibration.py

clean:
	rm -rf $(VENV) output build dist

# sweepmark: set up, run, check. Everything happens in .venv; nothing else on the machine changes.

SHELL := bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# Tests wait for each other's programs, locks and kills: one more than there are cores keeps them busy.
XDIST := -n $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1) --dist worksteal

.PHONY: run test test-full coverage faults mutate fuzz lint bench ui clean

run: $(READY)  ## fetch MNIST and run the main job: SVC on growing subsets
	$(BIN)/sweepmark sweep growing_subsets

test: $(READY)  ## the test suite, but for the faults
	$(BIN)/python -m pytest $(XDIST) -m "not full and not row"

coverage: $(READY)  ## the same, with the share of lines and branches that it runs; below 94 % it fails
	$(BIN)/python -m pytest $(XDIST) -m "not full and not row" --cov --cov-report=term

test-full: $(READY)  ## also what takes very long
	$(BIN)/python -m pytest $(XDIST)

faults: $(READY)  ## every fault there is, and a table of what came of it; SWEEPMARK_FAULT_SEED repeats one
	$(BIN)/python -m pytest $(XDIST) --quiet -m row tests

MUTANTS ?= 60

mutate: $(READY)  ## change the code in MUTANTS places, drawn at random; the tests must notice 85 % of them
	$(BIN)/python -m pip install --quiet -e ".[mutate]" -c constraints.txt
	$(BIN)/python benchmarks/mutants.py --size $(MUTANTS)

fuzz: $(READY)  ## 120,000 damaged files for the IDX reader
	$(BIN)/python tests/fuzz_idx.py

lint: $(READY)  ## style, types, layers, YAML
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/yamllint --strict conf sweeps

bench: $(READY)  ## side-by-side timings, an hour and a half; let nothing else run meanwhile
	$(BIN)/python -m pip install --quiet -e ".[bench]" -c constraints.txt
	$(BIN)/python benchmarks/harness.py
	$(BIN)/python benchmarks/csv_reader.py
	$(BIN)/python benchmarks/svm_grid.py --n 2000
	$(BIN)/python benchmarks/svm_grid.py --n 2000 --grid published
	$(BIN)/python benchmarks/svm_grid.py --n 7500 --rounds 1 --with-sweep
	$(BIN)/python benchmarks/svm_grid.py --growth 2000 15000
	$(BIN)/python benchmarks/svm_grid.py --fit 15000 5000
	$(BIN)/python benchmarks/svm_grid.py --fit 60000 10000 --rounds 1
	$(BIN)/python benchmarks/svm_sweep.py grid --n 2000
	$(BIN)/python benchmarks/svm_sweep.py subsets --rounds 1
	$(BIN)/python benchmarks/plan.py

ui: $(READY)  ## the MLflow UI on ./mlruns
	$(BIN)/sweepmark ui

clean:  ## remove the environment, not the results
	rm -rf $(VENV)

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 …")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -e ".[dev]" -c constraints.txt
	touch $@

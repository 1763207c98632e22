# Every target of the project; CI calls the same ones. `make` alone lists them.
PYTHON ?= python3
STACK ?= local
ARGS ?=
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup demo up preview refresh destroy emulator train-full fmt check test soak bench schema engine-schema \
	coverage lock clean

help: ## list the targets
	@sed -n 's/^\([a-z -]*\):.*## \(.*\)/  make \1	\2/p' Makefile | expand -t 34
	@echo "  STACK=local|dev|staging|production and ARGS='...' go to up, preview, refresh and destroy"

setup: ## virtualenv, Pulumi engine and its plugin; does only what is not done yet
	@$(PYTHON) -m engine.setup

demo: setup ## the tour: emulator, training, `pulumi up -s local`, images sent through the deployed service
	@$(BIN)/paistack demo $(ARGS)

up preview refresh destroy: setup ## run Pulumi on a stack
	@$(BIN)/paistack $@ --stack $(STACK) $(ARGS)

emulator: setup ## Alibaba Cloud on the loopback
	@$(BIN)/python -m emulator $(ARGS)

train-full: setup ## the classifier on the whole of Fashion-MNIST (apt-get install dataset-fashion-mnist); goes on after a cut
	nice $(BIN)/python -m model.train --data fashion-mnist --out .paistack/models/fashion-whole \
		--epochs 12 --batch-size 64 --learning-rate 0.006 $(ARGS)

fmt: setup ## format the code and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

check: setup ## style, types, import rules, Go code; changes nothing
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m engine.check

test: setup check ## everything that is tested
	$(BIN)/pytest -n 2 --dist loadfile $(ARGS)

soak: setup ## a minute of 100 requests a second for everything that is done to services; not one may be lost
	PAISTACK_LOAD_S=60 $(BIN)/pytest tests/emulator/eas/test_no_request_is_lost.py $(ARGS)

bench: setup ## measure; writes bench/results.json and bench/README.md; ARGS='--only NAME' for a part
	$(BIN)/python -m bench $(ARGS)

schema: setup ## write stacks/schema.json anew, with which an editor checks the stack files
	@$(BIN)/paistack schema --write

engine-schema: setup ## write the plugin's schema anew, after a change of its table or versions
	@$(BIN)/python -m engine.schema

coverage: setup ## write emulator/COVERAGE.md and providers/COVERAGE.md anew, after operations were added
	$(BIN)/python -m tests.emulator.coverage
	$(BIN)/python -m tests.providers.coverage

lock: setup ## pin every direct and indirect dependency anew (ARGS=--upgrade: at their newest)
	@$(BIN)/uv pip compile -q --python-version 3.11 --no-annotate --custom-compile-command "make lock" \
		requirements-dev.txt -o constraints.txt $(ARGS)

clean: ## remove what lies in this folder: .venv, .paistack with the local state, caches; built engines stay in ~/.cache
	rm -rf .venv .venv-bench .paistack .mypy_cache .ruff_cache .pytest_cache .import_linter_cache *.egg-info \
		tests/foreign/node_modules

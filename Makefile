# make run   set everything up, simulate the default scenario, print KPIs and the path of the report
# make test  set everything up, run the test suite
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
SCENARIO ?= scenarios/hangzhou-day.toml
SEED   ?= 7
OUT    ?= runs/$(basename $(notdir $(SCENARIO)))

.PHONY: install run test lint format soak lock clean

install: $(STAMP)

# --no-compile: modules compile when first imported, most of them never are; this halves the installation.
$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-compile --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $(STAMP)

run: install
	$(BIN)/logistics run $(SCENARIO) --seed $(SEED) --out $(OUT) --overwrite

# A worker a core; the tests of a file stay together, for the fixtures that they share.
test: install
	$(BIN)/python -m pytest -n auto --dist loadfile

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

soak: install
	LOGISTICS_SOAK=1 $(BIN)/python -m pytest -m soak --hypothesis-profile=soak

# Needs uv on the PATH; writes no index address.
lock:
	uv pip compile pyproject.toml --all-extras --group dev --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
		--quiet --output-file requirements.lock

clean:
	rm -rf $(VENV) runs build dist *.egg-info

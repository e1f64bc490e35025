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

# Bytecode is made here, on all cores: where PYTHONDONTWRITEBYTECODE is set, every process would compile what it imports
# (numpy 0.18 s in place of 0.07 s). A file that does not compile, such as a package's template, is nothing to stop for.
$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-compile --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	-$(BIN)/python -m compileall -q -q -j 0 $(VENV)/lib cli*.py logistics sim solvers
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

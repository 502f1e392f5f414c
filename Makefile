# Mailroom. Needs Python 3.11 or newer and make, nothing else.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help up down demo prove prove-short containers containers-short fresh test test-slow test-long test-fidelity test-browser check bench bench-scaling bench-budget bench-bounces bench-faults bench-sign-up bench-inbox bench-admin screenshots messages pages requirements wheel docs test-adopt clean

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; break; }; done)
BIN := .venv/bin
CHROMIUM := /usr/bin/chromium
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# Production-like settings for checks that connect to nothing.
PRODUCTION := MAILROOM_ENV_FILE=/dev/null SECRET_KEY=a-key-for-checking-settings-that-is-long-and-has-letters-and-digits-0123456789 \
	SITE_URL=https://mail.example.com ALLOWED_HOSTS=mail.example.com EMAIL_PROVIDERS=ses SES_REGION=eu-central-1 \
	DATABASE_URL=postgres://mailroom@127.0.0.1:1/mailroom REDIS_URL=redis://127.0.0.1:1/0
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-strip-extras \
	--custom-compile-command 'make requirements' pyproject.toml

help:
	@echo 'Run it'
	@echo '  make up                start everything on this machine; Ctrl-C stops it'
	@echo '  make down              stop everything, including leftovers of a crash'
	@echo '  make demo              a scripted end-to-end run with a pass/fail report'
	@echo '  make clean             delete the environment and all local data'
	@echo
	@echo 'Test it'
	@echo '  make test              run the tests; ARGS="-k relay" passes arguments to pytest'
	@echo '  make check             lint, types, layers, templates, migrations, settings, requirements'
	@echo '  make test-slow         the tests that start many processes or send many requests (10 minutes)'
	@echo '  make test-long         the slow tests and those with much data or long outages'
	@echo '  make test-fidelity     compare 1,000 generated emails with those of Django (5 minutes)'
	@echo '  make test-browser      test the pages and the admin in Chromium'
	@echo '  make test-adopt        install the wheel in foreign projects as the tutorial says (15 minutes)'
	@echo '  make fresh             follow the README in a clean checkout'
	@echo '  make prove             inject faults during sign-ups and check that every email was sent'
	@echo '                         (more than 11 minutes); N=2000 for more sign-ups, SEED=7 to repeat a run'
	@echo '  make prove-short       the same with a selection of faults (5 minutes)'
	@echo '  make containers        build the image, start the Compose file, inject faults, upgrade'
	@echo '  make containers-short  the same with a selection of faults'
	@echo
	@echo 'Measure it'
	@echo '  make bench             compare throughput with Celery, post_office, BullMQ and others'
	@echo '                         (40 minutes); ARGS=--quick for less of it (8 minutes)'
	@echo '  make bench-scaling     what an email costs each process (5 minutes)'
	@echo '  make bench-sign-up     response times of sign-up, also without Redis (90 s)'
	@echo '  make bench-faults      response times of sign-up during broker faults (5 minutes)'
	@echo '  make bench-budget      whether rates, floors and waiting times hold (4 minutes)'
	@echo '  make bench-bounces     how fast 500 bounces are processed (1 minute)'
	@echo '  make bench-inbox       how fast the waiting page shows a sent email (90 s)'
	@echo '  make bench-admin       how fast each page of the admin is; ROWS=5000000 for more than 200,000'
	@echo '                         messages (15 minutes the first time)'
	@echo
	@echo 'Maintain it'
	@echo '  make pages             rewrite the generated pages of docs/'
	@echo '  make docs              build the documentation as a site, into .local/docs/site'
	@echo '  make messages          collect the texts to translate and compile the translations'
	@echo '  make screenshots       retake the screenshots of docs/'
	@echo '  make requirements      pin the newest versions of all dependencies'
	@echo '  make wheel             build the engine, django-mailroom, into dist/'
	@echo
	@echo 'bench-inbox, screenshots and test-browser need Chromium (apt install chromium).'

up: .venv/.app
	@$(BIN)/python -m devtools.stack up

down: .venv/.app
	@$(BIN)/python -m devtools.stack down

demo: .venv/.app
	@$(BIN)/python -m devtools.demo

prove: .venv/.app
	@$(BIN)/python -m devtools.chaos $(if $(N),--people $(N)) $(if $(SEED),--seed $(SEED)) $(if $(SHORT),--short)

prove-short: .venv/.app
	@$(BIN)/python -m devtools.chaos --short $(if $(N),--people $(N)) $(if $(SEED),--seed $(SEED))

containers: .venv/.dev
	@$(BIN)/python -m tests.containers $(if $(SHORT),--short)

containers-short:
	@$(MAKE) --no-print-directory containers SHORT=1

fresh: .venv/.app
	@$(BIN)/python -m devtools.stack.fresh

test: .venv/.dev
	$(BIN)/python -m pytest -n 3 $(ARGS)

test-long: .venv/.dev
	$(BIN)/python -m pytest -m long $(ARGS)

# The long tests that every change has to pass.
SLOW := tests/devtools/stack/test_up.py tests/docs/test_try_page.py tests/config/test_command_line.py \
	tests/config/test_hostile_requests.py tests/config/settings/test_flower.py tests/accounts/views/test_hostile_posts.py \
	tests/database tests/upgrade tests/notifications/models/test_migrations.py \
	$(patsubst %,tests/live/test_%.py,faults feedback flower harmful_messages housekeeping lifts pause rate recipients \
		rolling_deploy secrets) \
	tests/notifications/stateful/test_any_order.py::test_no_message_is_lost_or_duplicated_in_any_order \
	tests/live/test_workers.py::test_worker_killed_during_a_chunk_delays_its_messages_by_at_most_a_lease
test-slow: .venv/.dev
	$(BIN)/python -m pytest -m long -n 2 $(SLOW) $(ARGS)

test-fidelity: .venv/.dev
	$(BIN)/python -m pytest -m long tests/notifications/backend/test_fidelity.py $(ARGS)

test-adopt: .venv/.dev
	$(BIN)/python -m pytest -m long tests/adopt $(ARGS)

# Does not install packages if there is no browser.
test-browser:
	@if [ -x $(CHROMIUM) ]; then $(MAKE) --no-print-directory test-in-chromium; \
	else echo 'Skipped the browser tests: no Chromium at $(CHROMIUM) (apt install chromium).'; fi

.PHONY: test-in-chromium
test-in-chromium: .venv/.dev
	$(BIN)/python -m pytest -m browser tests/browser $(ARGS)

check: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(PRODUCTION) $(BIN)/mypy config accounts notifications devtools tests
	$(PRODUCTION) $(BIN)/lint-imports
	$(BIN)/djlint --check --lint --quiet templates notifications/templates devtools
	$(PRODUCTION) $(BIN)/python -W ignore manage.py makemigrations --check --dry-run
	$(PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING
	@$(BIN)/python -m devtools.stack requirements
	@$(MAKE) --no-print-directory docs

bench: .venv/.app
	@$(BIN)/python -m devtools.benchmarks.throughput $(ARGS)

bench-scaling: .venv/.app
	@$(BIN)/python -m devtools.benchmarks.throughput --only mailroom --delay 0 --rounds 1 --write scaling $(ARGS)

bench-budget: .venv/.app
	@$(BIN)/python -m devtools.benchmarks.budget

bench-bounces: .venv/.app
	@$(BIN)/python -m devtools.benchmarks.bounces

bench-faults: .venv/.app
	@$(BIN)/python -m devtools.benchmarks.broker_faults

bench-sign-up: .venv/.app
	@$(BIN)/python -m devtools.benchmarks.sign_up

bench-inbox: .venv/.dev
	@$(BIN)/python -m devtools.benchmarks.inbox

bench-admin: .venv/.app
	@$(BIN)/python -m devtools.benchmarks.admin $(if $(ROWS),--rows $(ROWS)) $(ARGS)

screenshots: .venv/.dev
	@$(BIN)/python -m devtools.benchmarks.screenshots

docs: .venv/.dev
	@$(PRODUCTION) DJANGO_SETTINGS_MODULE=config.settings $(BIN)/python -m devtools.docs_site

messages: .venv/.dev
	@command -v xgettext >/dev/null || { echo 'make messages needs gettext; on Debian: apt install gettext' >&2; exit 1; }
	$(PRODUCTION) $(BIN)/python -m devtools.messages
	@for folder in locale */locale; do if [ -d $$folder ]; then $(BIN)/pybabel --quiet compile --domain django --directory $$folder; fi; done

pages: .venv/.dev
	$(PRODUCTION) $(BIN)/python -m devtools.pages

requirements: .venv/.dev
	$(BIN)/$(COMPILE) --upgrade --group site -o requirements.txt
	$(BIN)/$(COMPILE) --upgrade --group devtools -o requirements-local.txt
	$(BIN)/$(COMPILE) --upgrade --group dev -o requirements-dev.txt

wheel: .venv/.dev
	@$(BIN)/python -m build --no-isolation --outdir dist

clean: down
	@$(BIN)/python -m devtools.stack clean
	rm -rf .venv .local staticfiles dist

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo 'Mailroom needs Python 3.11 or newer, and none was found. Name one: PYTHON=/path/to/python3 make …' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "$(PYTHON) cannot create virtual environments; on Debian: apt install python3-venv" >&2; exit 1; }
	@echo 'Creating .venv …'
	@$(PYTHON) -m venv .venv

.venv/.app: requirements-local.txt | .venv/bin/python
	@echo "Installing Mailroom's dependencies (1 to 2 minutes the first time) …"
	@$(PIP) install --require-hashes -r requirements-local.txt
	@touch $@

.venv/.dev: requirements-dev.txt | .venv/bin/python
	@echo 'Installing the dependencies of Mailroom and its tests …'
	@$(PIP) install --require-hashes -r requirements-dev.txt
	@touch .venv/.app $@

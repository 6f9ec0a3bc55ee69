# A thin veneer: every target is one line that delegates to xtask.py.
.DEFAULT_GOAL := help

PYTHON ?= python3
ARGS ?=
KIND ?=
NAME ?=
CMD ?=
export CMD # as the shell of `make with-mariadb` is to see it

# As a module, xtask.py is compiled once and not at every start.
XTASK := .venv/bin/python -m xtask

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: verify-migrations
verify-migrations: .venv/runtime ## build both databases, compare them, fail on drift (ARGS=--strict …)
	@$(XTASK) verify-migrations $(ARGS)

.PHONY: verify-all
verify-all: .venv/runtime ## verify-migrations on MariaDB 10.11, 11.8 and MySQL 9.7 at once, with Docker
	@$(XTASK) verify-all $(ARGS)

.PHONY: report
report: .venv/runtime ## verify-migrations, with a page to look at (report.html)
	@$(XTASK) report $(ARGS)

.PHONY: ci
ci: .venv/dev ## lint, tests and static checks; needs no MySQL and starts none
	@$(XTASK) ci $(ARGS)

.PHONY: test
test: .venv/dev ## the tests that need no MySQL
	@$(XTASK) test $(ARGS)

.PHONY: test-mariadb
test-mariadb: .venv/dev ## lease a MariaDB and run the tests marked mariadb
	@$(XTASK) test-mariadb $(ARGS)

.PHONY: with-mariadb
with-mariadb: .venv/runtime ## lease a MariaDB and run CMD='…' with DATABASE_URL set ($$ for each $)
	@$(XTASK) with-mariadb $(ARGS) -- $(if $(CMD),sh -c "$$CMD")

.PHONY: check-lock
check-lock: .venv/runtime ## parity.lock is the proof of these very files
	@$(XTASK) check-lock $(ARGS)

.PHONY: check-history
check-history: .venv/runtime ## migrations of the merge base were not rewritten
	@$(XTASK) check-history $(ARGS)

.PHONY: prune
prune: .venv/runtime ## delete from parity.toml what answers for nothing any more
	@$(XTASK) prune $(ARGS)

.PHONY: init
init: .venv/runtime ## set up a project that has both migration sets somewhere
	@$(XTASK) init $(ARGS)

.PHONY: new-migration
new-migration: .venv/runtime ## make a pair of migrations NAME=… on both sides
	@$(XTASK) new-migration $(NAME) $(ARGS)

.PHONY: explain
explain: .venv/runtime ## what a finding KIND=… means and how to fix it
	@$(XTASK) explain $(KIND)

.PHONY: rules
rules: .venv/runtime ## the type rules as a table
	@$(XTASK) rules

.PHONY: fuzz
fuzz: .venv/dev ## thousands of random pairs of schemas, compared on a leased MariaDB
	@$(XTASK) fuzz $(ARGS)

.PHONY: bench
bench: .venv/bench ## measure, against the bare floor and against SQLAlchemy with Alembic
	@$(XTASK) bench $(ARGS)

.PHONY: lint
lint: .venv/dev ## ruff, mypy and shellcheck
	@$(XTASK) lint

.PHONY: fmt
fmt: .venv/dev ## format with ruff
	@$(XTASK) fmt

.PHONY: doctor
doctor: ## what is installed, which engine would be used, what is missing
	@$(XTASK) doctor
doctor: XTASK = $(PYTHON) xtask.py

# One line says what is missing, in place of each of pip's tries; .venv/log has them.
INSTALL = .venv/bin/python -m pip install -qq --retries 2 --disable-pip-version-check -r $< 2>.venv/log
MISSING = (echo "$@: the packages of $< are missing here: $$(tail -n 1 .venv/log); a package index is needed once (PIP_INDEX_URL names another)" >&2; false)

.venv/runtime: requirements.txt
	@echo "installing the pinned packages into .venv (once)" >&2
	@$(PYTHON) -m venv .venv
	@$(INSTALL) && touch $@ || $(MISSING)

.venv/dev: requirements-dev.txt .venv/runtime
	@echo "installing the pinned packages for developers into .venv (once)" >&2
	@$(INSTALL) && touch $@ || $(MISSING)

.venv/bench: requirements-bench.txt .venv/dev
	@$(INSTALL) && touch $@ || $(MISSING)

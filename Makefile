.DEFAULT_GOAL := help
.PHONY: help install run demo test chaos prove lint bench
SHELL := /bin/bash
PYTHON ?= python3

help: ## list what can be done
	@sed -nE 's/^([a-z]+):.*## (.*)$$/make \1\t\2/p' Makefile | expand -t 16

install: .venv/.installed ## make .venv and install what the lock names, every file checked by its hash

.venv/.installed: requirements.lock pyproject.toml .ci/install
	@PYTHON="$(PYTHON)" .ci/install

run: install ## start everything and print one link
	@exec .venv/bin/python -m mailer.cli run

demo: install ## the same with sample data and sample staff
	@exec .venv/bin/python -m mailer.cli run --demo

test: install ## bring up what the tests need and run all of them
	@.ci/test

chaos: install ## kill everything at random for half an hour and count what arrived
	@.ci/chaos

prove: install ## proofs in their full size: a million people, a stop list of millions, half an hour
	@.ci/prove

lint: install ## style, types, import rules, dead and repeated code
	@.ci/lint

bench: install ## measure the engine, a few minutes
	@exec .venv/bin/python -m bench.short

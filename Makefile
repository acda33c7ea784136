# The commands of this project, with the air-gapped kit's tools on PATH where this machine lacks them.
# Every pulumi command here can be typed as it stands after: eval "$(python3 airgap/kit env)"

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.NOTPARALLEL:
.DEFAULT_GOAL := help

STACK ?= cilium
PAIRS ?= 3
ROUNDS ?= 3
# Not KIT: that is the variable which overrules the probe.
AIRGAP := python3 airgap/kit
ENV = env=$$($(AIRGAP) env) && eval "$$env" &&
HUBBLE = if ! command -v hubble >/dev/null; then PATH=$$PATH:$$($(AIRGAP) path cilium)/bin; fi &&
SELECT = pulumi stack select --create $(STACK) >&2 &&

# The state holds one secret, the kubeconfig of a throw-away cluster; a passphrase of the user's own is kept.
ifndef PULUMI_CONFIG_PASSPHRASE_FILE
export PULUMI_CONFIG_PASSPHRASE ?=
endif

# Each step of an `up` is a Python of its own, and without bytecode each compiles again whatever it imports: an `up` of
# the tests takes 10 s in place of 6.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup toolchain images migrate pipeline preview policy up output flows destroy bench bench-full bench-migration bench-down report test test-unit lint clean distclean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## bring what this machine lacks: tools, container engine, images, Python packages
	@$(AIRGAP) setup >&2
	@$(ENV) uv sync --quiet >&2 && uv sync --quiet --project policy >&2

toolchain: ## build the tools alone
	@$(AIRGAP) toolchain

images: ## start the container engine and build the images alone
	@$(AIRGAP) images

migrate: setup ## flannel up, the preview of the move, cilium up on the same cluster, the verdict
	@$(ENV) STRATEGY=$(STRATEGY) bash scripts/migrate.sh

pipeline: setup ## each stage of the pipeline in order: check, preview, policy, apply, verify, drift (STACK=...)
	@$(ENV) pipeline/check.sh && pipeline/preview.sh $(STACK) && pipeline/policy.sh $(STACK) && \
	pipeline/apply.sh $(STACK) && pipeline/verify.sh $(STACK) && pipeline/drift.sh $(STACK)

preview: setup ## pulumi preview (STACK=flannel or cilium)
	$(ENV) $(SELECT) pulumi preview --stack $(STACK)

policy: setup ## pulumi preview, held against the policy pack
	$(ENV) $(SELECT) pipeline/policy.sh $(STACK)

up: setup ## pulumi up
	$(ENV) $(SELECT) pulumi up --stack $(STACK) --yes

output: setup ## pulumi stack output as JSON
	@$(ENV) pulumi stack output --json --stack $(STACK)

flows: setup ## live flows through Hubble Relay; hubble observe's own filters: ARGS="--verdict DROPPED"
	@$(ENV) $(HUBBLE) STACK=$(STACK) bash scripts/flows.sh $(ARGS)

destroy: setup ## pulumi destroy
	$(ENV) $(SELECT) pulumi destroy --stack $(STACK) --yes

bench: setup ## two clusters side by side, one a CNI: 3 pairs (PAIRS=), indicative, at most 20 minutes
	@$(ENV) uv run --group bench python -m bench run --pairs $(PAIRS)

bench-full: setup ## the same with 20 pairs: about 70 minutes; an interrupted one goes on
	@$(ENV) uv run --group bench python -m bench run --pairs 20

bench-migration: setup ## the migration by hand and by each strategy: twelve minutes a round (ROUNDS=)
	@$(ENV) uv run --group bench python -m bench.compare $(ROUNDS) recreate rolling live

bench-down: setup ## the benchmark's clusters are gone; its results stay
	@$(ENV) uv run --group bench python -m bench down

report: setup ## one page from what the stacks, captures, benchmark and flows in .state/report say
	@$(ENV) $(HUBBLE) uv run --group bench --group report bash scripts/report.sh .state/report

test: setup ## every test, unit to end-to-end
	@command -v chromium >/dev/null || airgap/engine/packages.sh chromium-headless-shell
	@$(ENV) uv run --all-groups pytest --numprocesses=auto tests/unit
	@$(ENV) for module in command-plugin hubble-page; do (cd airgap/$$module && GOFLAGS=-mod=readonly go test ./...); done
	@$(ENV) uv run pytest --numprocesses=auto tests/engine
	@$(ENV) uv run --all-groups pytest tests/e2e

test-unit: ## the unit tests: seconds, no engine, no cluster
	@uv=$$(command -v uv) || uv=$$($(AIRGAP) path uv)/bin/uv; "$$uv" run --all-groups pytest --numprocesses=auto tests/unit

lint: ## ruff, pyright, shellcheck, actionlint, gofmt, go vet
	@airgap/engine/packages.sh shellcheck
	@uv=$$(command -v uv) || uv=$$($(AIRGAP) path uv)/bin/uv; \
	"$$uv" run ruff check . && "$$uv" run ruff format --check . && "$$uv" run --all-groups pyright && \
	"$$uv" sync --quiet --project policy && "$$uv" run pyright --project policy
	@git ls-files -z '*.sh' .ci/run policy/run | xargs -0 shellcheck
	@"$$($(AIRGAP) path actionlint)/bin/actionlint"
	@for module in command-plugin hubble-page runc-shim images/pause; do \
	  (cd airgap/$$module && test -z "$$(gofmt -l . | tee /dev/stderr)" && GOFLAGS=-mod=readonly go vet ./...); done

clean: ## end the benchmark's clusters and what the kit has started; what is built stays
	@if [[ -e .state/bench/.pulumi ]]; then \
	  $(ENV) uv run --group bench python -m bench down || echo 'clean: the clusters of the benchmark are still there' >&2; fi
	@$(AIRGAP) clean

distclean: ## clean, and drop what the kit has built
	@$(AIRGAP) distclean

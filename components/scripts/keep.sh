#!/usr/bin/env bash
# The update of a step that runs once a migration: does nothing and prints the step's result again.
set -euo pipefail
printf '%s' "${PULUMI_COMMAND_STDOUT-}"

#!/usr/bin/env bash
# AWS's linter of CloudFormation templates, in a venv. Functions only.
#
#   cfn_lint FILE...    installs it (once per machine and version) and lints; a warning fails too.
set -euo pipefail
# shellcheck source=/dev/null
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

CFN_LINT_VERSION=1.58.0

cfn_lint() {
  local venv
  venv=$(parts_venv cfn-lint "$CFN_LINT_VERSION" "cfn-lint==$CFN_LINT_VERSION") || return 1
  "$venv/bin/cfn-lint" --non-zero-exit-code warning -- "$@"
}

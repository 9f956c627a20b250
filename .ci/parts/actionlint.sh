#!/usr/bin/env bash
# rhysd/actionlint, built from its Go module. Functions only.
#
#   actionlint_install    builds it (once per machine and version), exports ACTIONLINT, its path.
#
# Where shellcheck is installed it checks the "run:" scripts as well. Needs Go 1.25.
set -euo pipefail
# shellcheck source=/dev/null
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

ACTIONLINT_VERSION=v1.7.12

actionlint_install() {
  ACTIONLINT=$(parts_go_build github.com/rhysd/actionlint "$ACTIONLINT_VERSION" actionlint) || return 1
  export ACTIONLINT
}

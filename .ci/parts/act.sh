#!/usr/bin/env bash
# nektos/act, which runs workflows on this machine, built from its Go module. Functions only.
#
#   act_install    builds it (once per machine and version), exports ACT, its path.
#
# With "-P ubuntu-latest=-self-hosted" it runs the jobs without a container. It serves actions/checkout
# itself, and other actions from a folder (--local-repository). Needs Go 1.25.
set -euo pipefail
# shellcheck source=/dev/null
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

ACT_VERSION=v0.2.89

act_install() {
  ACT=$(parts_go_build github.com/nektos/act "$ACT_VERSION" act .) || return 1
  export ACT
}

#!/usr/bin/env bash
# AWS's API, mocked in memory by moto's server. Functions only.
#
#   moto_start DIR [PORT]   installs moto into a venv (once per machine and version), serves on
#                           127.0.0.1:PORT (5555), exports MOTO_URL.
#   moto_stop DIR           ends it, unsets MOTO_URL.
#
# POST $MOTO_URL/moto-api/reset empties it. It checks no signature, but takes service and region
# from the credential scope of the Authorization header; a request without one goes to S3.
# ECR's GetAuthorizationToken gives AWS:ACCOUNT-auth-token for each of registryIds (by default
# account 123456789012) and an expiresAt in the past (2015-01-01).
set -euo pipefail
# shellcheck source=/dev/null
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

MOTO_VERSION=5.2.1

moto_start() {
  local dir port=${2:-5555} venv
  dir=$(parts_dir "$1") || return 1
  parts_apt curl || return 1
  if parts_alive "$dir/pid"; then
    if [[ $(<"$dir/port") == "$port" ]]; then
      export MOTO_URL="http://127.0.0.1:$port"
      return 0
    fi
    moto_stop "$dir" || return 1
  fi
  venv=$(parts_venv moto "$MOTO_VERSION" "moto[server]==$MOTO_VERSION") || return 1
  parts_port_free 127.0.0.1 "$port" || return 1
  printf %s "$port" >"$dir/port" || return 1
  export MOTO_URL="http://127.0.0.1:$port"
  parts_spawn "$dir/pid" "$dir/log" "$venv/bin/moto_server" -H 127.0.0.1 -p "$port"
  if ! parts_wait "$dir/pid" "$dir/log" 60 moto_server curl -q -fsS --max-time 5 "$MOTO_URL/moto-api/data.json"; then
    moto_stop "$dir"
    return 1
  fi
}

moto_stop() {
  local dir
  dir=$(parts_dir "$1") || return 1
  parts_end "$dir/pid"
  if [[ -r $dir/port && ${MOTO_URL:-} == "http://127.0.0.1:$(<"$dir/port")" ]]; then
    unset MOTO_URL
  fi
}

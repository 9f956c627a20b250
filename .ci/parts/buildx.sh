#!/usr/bin/env bash
# The docker CLI plugin buildx, built from its Go module. Functions only.
#
#   buildx_install DIR    builds it (once per machine and version), writes DIR/config.json
#                         which names the plugin's folder, exports DOCKER_CONFIG=DIR.
#   buildx_link CONFIG    makes it known in one more docker configuration folder.
#   buildx_remove DIR     removes what buildx_install put into DIR, unsets DOCKER_CONFIG.
#
# The host's docker configuration and plugin folders stay as they are: the plugin is found by
# "cliPluginsExtraDirs" in $DOCKER_CONFIG/config.json. No environment variable does the same,
# so a program that points DOCKER_CONFIG at a folder of its own loses the plugin, unless that
# folder was given to buildx_link (a link in CONFIG/cli-plugins) before. "docker login" keeps
# cliPluginsExtraDirs. Buildx keeps its own state in $DOCKER_CONFIG/buildx.
#
# v0.29.1 is the newest release line whose client library still speaks API 1.41, that is with
# Debian's engine 20.10, and whose dependencies all are on the Go module proxy. Needs Go 1.24.
# With the engine ("docker" driver): --push, --load, --metadata-file, several -t, one --platform,
# --cache-from registry work; --cache-to registry, --provenance, --output oci, several platforms
# do not (see buildkitd.sh). The push itself is done by the engine ("pushing ... with docker"), so
# the engine's /etc/docker/certs.d counts. "docker buildx imagetools" is done by the plugin: it
# needs SSL_CERT_FILE.
set -euo pipefail
# shellcheck source=/dev/null
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

BUILDX_VERSION=v0.29.1

buildx_install() {
  local dir program
  dir=$(parts_dir "$1") || return 1
  command -v docker >/dev/null || parts_apt docker.io || return 1
  program=$(parts_go_build github.com/docker/buildx "$BUILDX_VERSION" buildx) || return 1
  parts_dir "$dir/plugins" >/dev/null || return 1
  ln -sfn "$program" "$dir/plugins/docker-buildx" || return 1
  # An existing file (a login, say) was written by us and has the line already.
  [[ -e $dir/config.json ]] ||
    printf '{"cliPluginsExtraDirs": ["%s/plugins"]}\n' "$dir" >"$dir/config.json" || return 1
  export DOCKER_CONFIG="$dir"
  docker buildx version >/dev/null 2>&1 ||
    parts_fail "docker does not find the buildx plugin by $dir/config.json"
}

buildx_link() {
  local config program
  config=$(parts_dir "$1") || return 1
  program=$(parts_go_build github.com/docker/buildx "$BUILDX_VERSION" buildx) || return 1
  parts_dir "$config/cli-plugins" >/dev/null || return 1
  ln -sfn "$program" "$config/cli-plugins/docker-buildx"
}

buildx_remove() {
  local dir
  dir=$(parts_dir "$1") || return 1
  rm -rf -- "$dir/plugins" "$dir/buildx" "$dir/config.json"
  if [[ ${DOCKER_CONFIG:-} == "$dir" ]]; then
    unset DOCKER_CONFIG
  fi
}

#!/usr/bin/env bash
# A BuildKit daemon of its own, built from its Go module, for buildx's "remote" driver. Functions
# only. It does what the BuildKit inside engine 20.10 cannot: several platforms, attestations,
# --cache-to registry, the current Dockerfile syntax.
#
#   buildkitd_start DIR [CA HOST...]   starts it; for each registry HOST it trusts the CA file;
#                                      exports BUILDKITD_ADDR (unix://DIR/buildkitd.sock).
#   buildkitd_stop DIR                 ends it, unsets BUILDKITD_ADDR.
#
# Use: docker buildx create --name NAME --driver remote "$BUILDKITD_ADDR"; then
#      docker buildx build --builder NAME ...   (logins are taken from DOCKER_CONFIG as always)
# It does not read /etc/docker/certs.d. Steps with RUN run in runc with the host's network.
set -euo pipefail
# shellcheck source=/dev/null
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

BUILDKIT_VERSION=v0.25.1 # the one that buildx v0.29.1 goes with

buildkitd_start() {
  local dir program ca=${2:-} host
  dir=$(parts_dir "$1") || return 1
  ((${#dir} <= 80)) || parts_fail "buildkitd folder's path is too long for unix sockets: $dir" || return 1
  shift $(($# < 2 ? 1 : 2))
  parts_apt runc || return 1
  program=$(parts_go_build github.com/moby/buildkit "$BUILDKIT_VERSION" buildkitd) || return 1
  export BUILDKITD_ADDR="unix://$dir/buildkitd.sock"
  if parts_alive "$dir/pid"; then
    return 0
  fi
  {
    printf 'root = "%s/root"\n[grpc]\naddress = ["%s"]\n' "$dir" "$BUILDKITD_ADDR"
    printf '[worker.containerd]\nenabled = false\n'
    printf '[worker.oci]\nenabled = true\nsnapshotter = "overlayfs"\nnetworkMode = "host"\n'
    for host; do
      printf '[registry."%s"]\nca = ["%s"]\n' "$host" "$ca"
    done
  } >"$dir/buildkitd.toml" || return 1
  rm -f "$dir/buildkitd.sock"
  parts_spawn "$dir/pid" "$dir/log" "$program" --config "$dir/buildkitd.toml"
  if ! parts_wait "$dir/pid" "$dir/log" 30 buildkitd grep -q 'running server on' "$dir/log"; then
    buildkitd_stop "$dir"
    return 1
  fi
}

buildkitd_stop() {
  local dir
  dir=$(parts_dir "$1") || return 1
  parts_end "$dir/pid"
  if [[ ${BUILDKITD_ADDR:-} == "unix://$dir/buildkitd.sock" ]]; then
    unset BUILDKITD_ADDR
  fi
}

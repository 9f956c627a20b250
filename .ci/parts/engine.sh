#!/usr/bin/env bash
# Docker engine (Debian's docker.io: 20.10.24, API 1.41) on a private socket. Functions only.
#
#   engine_start DIR   installs docker.io and busybox-static, starts dockerd with overlay2
#                      below DIR, waits for it, exports DOCKER_HOST.
#   engine_stop DIR    ends dockerd (and its containerd), unsets DOCKER_HOST.
#
# No network: the daemon has no bridge and touches no iptables. What then works is
# "FROM scratch" with COPY; "RUN" only with "docker build --network none" or with
# DOCKER_BUILDKIT=0; "docker run --network none".
#
# Which client: any. The one first on PATH may be newer than the engine (28.2.2 was tried: it
# negotiates API 1.41) or Debian's own /usr/bin/docker. With a client from 23 on, "docker build"
# needs the buildx plugin (buildx.sh) unless DOCKER_BUILDKIT=0. BuildKit inside engine 20.10
# knows Dockerfile syntax up to 1.2 (no COPY --link, no here-documents, no RUN --network; a
# "# syntax=" line would be fetched from the internet), one platform, no attestations.
#
# Registry CAs: the engine's BuildKit reads the list of /etc/docker/certs.d once, when dockerd
# starts. So call registry_start (registry.sh) BEFORE engine_start.
#
# Unix socket paths end at 107 characters: keep DIR short (mktemp -d).
set -euo pipefail
# shellcheck source=/dev/null
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

engine_start() {
  local dir
  dir=$(parts_dir "$1") || return 1
  ((${#dir} <= 60)) || parts_fail "engine folder's path is too long for unix sockets: $dir" || return 1
  parts_apt docker.io busybox-static || return 1
  unset DOCKER_TLS_VERIFY DOCKER_CERT_PATH DOCKER_CONTEXT
  export DOCKER_HOST="unix://$dir/docker.sock"
  if parts_alive "$dir/pid"; then
    return 0
  fi
  rm -f "$dir/dockerd.pid" "$dir/docker.sock"
  printf '{}\n' >"$dir/daemon.json" || return 1 # instead of the host's /etc/docker/daemon.json
  parts_spawn "$dir/pid" "$dir/log" dockerd \
    --config-file "$dir/daemon.json" --host "$DOCKER_HOST" --pidfile "$dir/dockerd.pid" \
    --data-root "$dir/data" --exec-root "$dir/exec" --storage-driver overlay2 \
    --bridge=none --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false
  if ! parts_wait "$dir/pid" "$dir/log" 60 dockerd docker version; then
    engine_stop "$dir"
    return 1
  fi
}

engine_stop() {
  local dir containerd=''
  dir=$(parts_dir "$1") || return 1
  # dockerd's own child; it ends with dockerd, by the kernel even when dockerd is killed.
  if parts_alive "$dir/pid" && [[ -r $dir/exec/containerd/containerd.pid ]]; then
    containerd=$(<"$dir/exec/containerd/containerd.pid")
  fi
  parts_end "$dir/pid" 30
  while [[ -n $containerd ]] && parts_started "$containerd" >/dev/null; do
    sleep 0.1
  done
  # dockerd mounts its data folder on itself, and may leave that when it was killed.
  if mountpoint -q "$dir/data"; then
    umount -R "$dir/data" || return 1
  fi
  if [[ ${DOCKER_HOST:-} == "unix://$dir/docker.sock" ]]; then
    unset DOCKER_HOST
  fi
}

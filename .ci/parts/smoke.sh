#!/usr/bin/env bash
# Starts all parts, builds an image, pushes it in both ways, reads the manifests back, stops all.
#
#   bash .ci/parts/smoke.sh [--with-buildkitd]      exit status 0: all works and nothing is left
#
# Says on stderr how long each piece took. REGISTRY_ADDRESS=::1 makes dockerd check the CA
# (see registry.sh).
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
for part in engine buildx registry moto buildkitd; do
  # shellcheck source=/dev/null
  . "$here/$part.sh"
done

account=111111111111
host=$account.dkr.ecr.eu-west-1.amazonaws.com
password=$account-auth-token # what moto's GetAuthorizationToken gives for this account
manifest=application/vnd.docker.distribution.manifest.v2+json

# shellcheck disable=SC2154 # registry_mark comes from registry.sh
hosts_before=$(grep -vF "$registry_mark" /etc/hosts)
work=$(mktemp -d)
step=begin
cleanup() {
  local status=$?
  trap - EXIT
  if ((status)); then
    printf 'smoke: FAILED at: %s\n' "$step" >&2
    tail -v -n 5 "$work"/?/log >&2 || true
  fi
  buildkitd_stop "$work/k" || status=1
  engine_stop "$work/e" || status=1
  buildx_remove "$work/c" || status=1
  moto_stop "$work/m" || status=1
  registry_stop "$work/r" || status=1
  rm -rf --one-file-system -- "$work" || status=1
  exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# timed NAME COMMAND...: runs COMMAND in this shell.
timed() {
  local name=$1 begin=${EPOCHREALTIME/[.,]/} end
  shift
  step=$name
  "$@"
  end=${EPOCHREALTIME/[.,]/}
  printf 'smoke: %-26s %4d.%03d s\n' "$name" $(((end - begin) / 1000000)) $(((end - begin) / 1000 % 1000)) >&2
}

# has TAG DIGEST: whether the registry has the manifest DIGEST under TAG.
has() {
  local got
  got=$(registry_curl "$work/r" -o /dev/null -D - -H "Accept: $manifest, application/vnd.oci.image.index.v1+json" \
    "https://$host/v2/team/app/manifests/$1" | tr -d '\r' | sed -n 's/^docker-content-digest: //Ip')
  [[ $2 == sha256:* && $got == "$2" ]] || parts_fail "tag $1: registry has '$got', pushed '$2'"
}

# digest FILE: containerimage.digest of a buildx metadata file.
digest() {
  sed -n 's/.*"containerimage.digest": "\([^"]*\)".*/\1/p' "$1"
}

push_buildx() {
  docker buildx build --quiet --push --metadata-file "$work/meta" -t "$host/team/app:buildx" "$work/src" >/dev/null
  has buildx "$(digest "$work/meta")"
}

push_docker() {
  DOCKER_BUILDKIT=0 docker build --quiet -t "$host/team/app:docker" "$work/src" >/dev/null 2>&1
  docker push "$host/team/app:docker" >"$work/push"
  has docker "$(sed -n 's/.* digest: \(sha256:[0-9a-f]*\) .*/\1/p' "$work/push")"
}

load_run() {
  docker buildx build --quiet --load -t smoke:load "$work/src" >/dev/null
  [[ $(docker run --rm --network none smoke:load) == hello ]]
}

# The engine's BuildKit, which has to trust the CA by itself, pulls what was pushed.
pull_buildkit() {
  printf 'FROM %s/team/app:buildx\n' "$host" | docker buildx build --quiet --pull --load -t smoke:pull - >/dev/null
}

push_buildkitd() {
  docker buildx create --name smoke --driver remote "$BUILDKITD_ADDR" >/dev/null
  docker buildx build --quiet --builder smoke --platform linux/amd64,linux/arm64 --push \
    --metadata-file "$work/meta" -t "$host/team/app:multi" "$work/src" >/dev/null
  has multi "$(digest "$work/meta")"
  docker buildx rm smoke >/dev/null 2>&1
}

ask_moto() {
  local token
  token=$(curl -q -fsS --max-time 10 -d "{\"registryIds\": [\"$account\"]}" \
    -H 'Content-Type: application/x-amz-json-1.1' \
    -H 'X-Amz-Target: AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken' \
    -H 'Authorization: AWS4-HMAC-SHA256 Credential=AKID/20260101/eu-west-1/ecr/aws4_request, SignedHeaders=host, Signature=0' \
    "$MOTO_URL/" | sed -n 's/.*"authorizationToken": "\([^"]*\)".*/\1/p')
  [[ $(base64 -d <<<"$token") == "AWS:$password" ]] || parts_fail "moto gives another token: $token" || return 1
  printf '%s' "$password" | docker login -u AWS --password-stdin "$host" >/dev/null 2>&1
}

# Starting twice is starting once.
start_again() {
  local before
  before=$(cat "$work"/?/pid)
  registry_start "$work/r" "$password" eu-west-1 "$account" 222222222222
  engine_start "$work/e"
  buildx_install "$work/c"
  moto_start "$work/m"
  [[ $(cat "$work"/?/pid) == "$before" ]]
}

mkdir "$work/src"
timed 'registry_start' registry_start "$work/r" "$password" eu-west-1 "$account" 222222222222
timed 'engine_start' engine_start "$work/e"
timed 'buildx_install' buildx_install "$work/c"
timed 'moto_start' moto_start "$work/m"
cp /bin/busybox "$work/src/sh"
printf 'FROM scratch\nCOPY sh /bin/sh\nCMD ["/bin/sh", "-c", "echo hello"]\n' >"$work/src/Dockerfile"

timed 'token of moto, login' ask_moto
timed 'buildx build --push' push_buildx
timed 'build, docker push' push_docker
timed 'buildx build --load, run' load_run
timed 'buildx build FROM registry' pull_buildkit
if [[ ${1:-} == --with-buildkitd ]]; then
  timed 'buildkitd_start' buildkitd_start "$work/k" "$REGISTRY_CA" "$host"
  timed 'buildkitd, two platforms' push_buildkitd
fi
timed 'all starts again' start_again

pids=()
for pidfile in "$work"/?/pid "$work/e/exec/containerd/containerd.pid"; do
  if [[ -r $pidfile ]]; then
    read -r pid _ <"$pidfile" || true # containerd.pid has no line end
    pids+=("$pid")
  fi
done
timed 'buildkitd_stop' buildkitd_stop "$work/k"
timed 'engine_stop' engine_stop "$work/e"
timed 'moto_stop' moto_stop "$work/m"
timed 'registry_stop' registry_stop "$work/r"
step='nothing left'
for pid in "${pids[@]}"; do
  ! parts_started "$pid" >/dev/null || parts_fail "process $pid is still there"
done
[[ $(grep -vF "$registry_mark" /etc/hosts) == "$hosts_before" ]] || parts_fail "/etc/hosts is not as before"
! grep -F "$registry_mark $work" /etc/hosts || parts_fail "/etc/hosts still has our lines"
[[ ! -e /etc/docker/certs.d/$host ]] || parts_fail "/etc/docker/certs.d/$host is still there"
! grep -q " $work" /proc/mounts || parts_fail "a mount below $work is still there"
printf 'smoke: all parts work, nothing is left (%s processes ended)\n' "${#pids[@]}" >&2

#!/usr/bin/env bash
# An image registry (Debian's docker-registry: 2.8.2) that answers under the host names of ECR,
# with TLS and basic authentication. Functions only.
#
#   registry_start DIR PASSWORD REGION ACCOUNT...
#                        makes a CA and a certificate for ACCOUNT.dkr.ecr.REGION.amazonaws.com of
#                        each ACCOUNT, serves them on 127.0.0.1:443 for the user AWS, names them in
#                        /etc/hosts, makes dockerd trust the CA, exports REGISTRY_CA (DIR/ca.crt)
#                        and prints one line, NODE_EXTRA_CA_CERTS=DIR/ca.crt.
#   registry_curl DIR CURL-ARGUMENT...   curl with that CA, user and password.
#   registry_stop DIR    ends it and takes /etc/hosts and /etc/docker/certs.d back.
#
# Call it BEFORE engine_start: dockerd lists /etc/docker/certs.d once, when it starts.
#
# REGISTRY_ADDRESS=ADDRESS serves on another loopback address. Two uses:
#   127.0.0.2 ...  one registry per account, with its own DIR and password (the token that moto
#                  gives out is AWS:ACCOUNT-auth-token, so it differs by account).
#   ::1            dockerd takes every host that resolves to 127.0.0.0/8 for an insecure registry
#                  and pushes there whatever the certificate; with ::1 it does check the CA.
#
# It stays a plain registry: it creates repositories at the first push and lets tags be moved,
# which ECR does not do. /etc/hosts may be a mount, so it is written in place, never renamed.
set -euo pipefail
# shellcheck source=/dev/null
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

registry_mark='# ecr-org-deploy-ci'

# registry_hosts DIR [ADDRESS HOST...]: removes DIR's lines and all that we wrote for a HOST
# (a run that was killed may have left some), adds new ones.
registry_hosts() {
  local dir=$1 address=${2:-} line host kept=''
  shift $(($# < 2 ? 1 : 2))
  (
    flock 9
    while IFS= read -r line || [[ -n $line ]]; do
      if [[ $line == *" $registry_mark "* ]]; then
        [[ $line != *" $registry_mark $dir" ]] || continue
        for host; do
          [[ $line != *" $host $registry_mark "* ]] || continue 2
        done
      fi
      kept+=$line$'\n'
    done </etc/hosts
    for host; do
      kept+="$address $host $registry_mark $dir"$'\n'
    done
    printf %s "$kept" >/etc/hosts
  ) 9</etc/hosts || parts_fail "cannot write /etc/hosts"
}

# registry_untrust DIR: removes the certs.d folders that belong to DIR.
registry_untrust() {
  local owner
  for owner in /etc/docker/certs.d/*/ecr-org-deploy-ci; do
    if [[ -e $owner && $(<"$owner") == "$1" ]]; then
      rm -r -- "${owner%/*}"
    fi
  done
}

# registry_certificates DIR HOST...: ca.crt, server.crt and server.key below DIR. The CA's key is
# thrown away at once.
registry_certificates() (
  cd -- "$1" || exit 1
  shift
  local key=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes) names
  names=$(printf ',DNS:%s' "$@")
  openssl req -x509 "${key[@]}" -keyout ca.key -out ca.crt -days 2 -subj '/CN=ecr-org-deploy CI' \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign &&
    openssl req "${key[@]}" -keyout server.key -out server.csr -subj '/CN=registry' &&
    printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\n' "${names#,}" >server.ext &&
    openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 \
      -extfile server.ext -out server.crt &&
    rm -f ca.key ca.srl server.csr server.ext
)

registry_start() {
  local dir password=$2 region=$3 address=${REGISTRY_ADDRESS:-127.0.0.1} account host hosts=() listen certs
  dir=$(parts_dir "$1") || return 1
  [[ $dir != *[[:space:]]* ]] || parts_fail "registry folder's path has a space: $dir" || return 1
  (($# >= 4)) || parts_fail "registry_start: no account id given" || return 1
  local wanted="$address $*"
  shift 3
  for account; do
    hosts+=("$account.dkr.ecr.$region.amazonaws.com")
  done
  parts_apt docker-registry openssl apache2-utils curl || return 1

  export REGISTRY_CA="$dir/ca.crt"
  if parts_alive "$dir/pid"; then
    if [[ $(<"$dir/wanted") == "$wanted" ]]; then
      printf 'NODE_EXTRA_CA_CERTS=%s\n' "$REGISTRY_CA"
      return 0
    fi
    registry_stop "$dir" || return 1
    export REGISTRY_CA="$dir/ca.crt"
  fi
  parts_port_free "$address" 443 || return 1

  (umask 077 && printf 'user = "AWS:%s"\n' "$password" >"$dir/curl" && printf '%s' "$wanted" >"$dir/wanted") || return 1
  registry_certificates "$dir" "${hosts[@]}" 2>"$dir/openssl.log" ||
    parts_fail "openssl cannot make the certificates: $(tail -n1 "$dir/openssl.log")" || return 1
  printf '%s' "$password" | htpasswd -iBc "$dir/htpasswd" AWS 2>/dev/null ||
    parts_fail "htpasswd cannot make $dir/htpasswd" || return 1
  listen=$address:443
  [[ $address != *:* ]] || listen="[$address]:443"
  cat >"$dir/config.yml" <<EOF || return 1
version: 0.1
log: {level: info}
storage:
  filesystem: {rootdirectory: "$dir/data"}
  delete: {enabled: true}
http:
  addr: "$listen"
  tls: {certificate: "$dir/server.crt", key: "$dir/server.key"}
auth:
  htpasswd: {realm: ecr, path: "$dir/htpasswd"}
EOF

  registry_untrust "$dir"
  for host in "${hosts[@]}"; do
    certs=/etc/docker/certs.d/$host
    [[ ! -e $certs || -e $certs/ecr-org-deploy-ci ]] || parts_fail "$certs exists and is not ours" || return 1
    mkdir -p "$certs" && cp "$dir/ca.crt" "$certs/ca.crt" && printf %s "$dir" >"$certs/ecr-org-deploy-ci" || return 1
  done
  registry_hosts "$dir" "$address" "${hosts[@]}" || return 1

  parts_spawn "$dir/pid" "$dir/log" docker-registry serve "$dir/config.yml"
  if ! parts_wait "$dir/pid" "$dir/log" 30 docker-registry registry_curl "$dir" "https://${hosts[0]}/v2/"; then
    registry_stop "$dir"
    return 1
  fi
  printf 'NODE_EXTRA_CA_CERTS=%s\n' "$REGISTRY_CA"
}

registry_curl() {
  local dir=$1
  shift
  curl -q -fsS --max-time 30 --cacert "$dir/ca.crt" -K "$dir/curl" "$@"
}

registry_stop() {
  local dir
  dir=$(parts_dir "$1") || return 1
  parts_end "$dir/pid"
  registry_hosts "$dir" || return 1
  registry_untrust "$dir"
  if [[ ${REGISTRY_CA:-} == "$dir/ca.crt" ]]; then
    unset REGISTRY_CA
  fi
}

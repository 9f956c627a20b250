#!/usr/bin/env bash
# Helpers shared by the parts in this folder. Functions only; sourced, never run.
#
# A part is a real program (engine, registry, AWS mock ...) that CI starts on a
# Debian 12 machine, as root, with nothing reachable but the package registries
# that the machine's clients (apt-get, go, pip) are already set up for.
#
# Rules that every part follows:
#   - NAME_start DIR ... is idempotent: a second call finds the first one running.
#     All state (config, data, log, process id) lives below DIR, an own folder.
#   - NAME_stop DIR ends exactly the process that NAME_start began, known by its
#     process id and its start time, and undoes what was changed outside DIR.
#   - Call NAME_start in the main shell, not in $( ) or a pipe: it exports variables,
#     and what it starts gets SIGTERM when the shell that started it is gone, so not
#     even a killed CI run leaves a process behind. PARTS_KEEP=1 turns that off
#     (to start parts by hand in one command and use them in the next).
#   - On failure: one line on stderr that says what is missing, and status 1.
#     Every step says "|| return 1" itself, as errexit is off below "if" and "||".
#
# Built things are kept in ${XDG_CACHE_HOME:-~/.cache}/ecr-org-deploy, keyed by version.
set -euo pipefail

# parts_fail MESSAGE: the one line on stderr; always returns 1.
parts_fail() {
  printf 'ci/parts: %s\n' "$*" >&2
  return 1
}

# parts_dir DIR: makes DIR and prints its absolute path.
parts_dir() {
  mkdir -p -- "$1" && (cd -- "$1" && pwd -P)
}

# parts_cache: makes the cache folder and prints its path.
parts_cache() {
  parts_dir "${XDG_CACHE_HOME:-$HOME/.cache}/ecr-org-deploy"
}

# parts_apt PACKAGE...: installs those of the Debian packages that are missing.
parts_apt() {
  local package log missing=()
  for package; do
    if [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) != installed ]]; then
      missing+=("$package")
    fi
  done
  ((${#missing[@]})) || return 0
  [[ $(id -u) == 0 ]] || parts_fail "not root: cannot install ${missing[*]}" || return 1
  log=$(mktemp) || return 1
  if ! {
    apt-get -qq -o DPkg::Lock::Timeout=120 update &&
      DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=120 \
        --no-install-recommends install "${missing[@]}"
  } >"$log" 2>&1 </dev/null; then
    parts_fail "apt-get cannot install ${missing[*]}: $(grep -m1 '^E:' "$log" || tail -n1 "$log")"
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
}

# parts_go_build MODULE VERSION COMMAND [PACKAGE]: builds MODULE's PACKAGE (./cmd/COMMAND) at
# VERSION, with the dependencies that its own go.mod and go.sum pin, and prints the path of the
# cached program. Not "go install PKG@VERSION": the go.mod files of buildx and buildkit have
# exclude directives, which that refuses. Instead the module's source, unpacked by the
# go command into its (read-only) module cache, is built where it lies.
parts_go_build() {
  local module=$1 version=$2 command=$3 package=${4:-./cmd/$3} cache program source log
  cache=$(parts_cache) || return 1
  program=$cache/$command-$version-$(uname -m)
  if [[ -x $program ]] && "$program" --help >/dev/null 2>&1; then
    printf '%s\n' "$program"
    return 0
  fi
  command -v go >/dev/null || parts_fail "go is missing: cannot build $command $version" || return 1
  log=$(mktemp) || return 1
  printf 'ci/parts: building %s %s (takes minutes, once per machine)\n' "$command" "$version" >&2
  if ! source=$(cd / && GOWORK=off GOFLAGS='' go mod download -json "$module@$version" 2>"$log" |
    sed -n 's/^[[:space:]]*"Dir": "\(.*\)",*$/\1/p') || [[ -z $source ]] ||
    ! GOWORK=off GOFLAGS='' CGO_ENABLED=0 go build -C "$source" -mod=readonly -trimpath -buildvcs=false \
      -ldflags "-s -w -X $module/version.Version=$version" -o "$program.$$" "$package" >"$log" 2>&1; then
    parts_fail "cannot build $command of $module@$version: $(grep -v '^go: downloading' "$log" | tail -n1)"
    rm -f "$log" "$program.$$"
    return 1
  fi
  rm -f "$log"
  mv -f "$program.$$" "$program" || return 1
  printf '%s\n' "$program"
}

# parts_venv NAME VERSION REQUIREMENT: installs the Python packages into a venv and prints its
# path. It is made where it stays (a venv cannot be moved); the file "complete" is its last piece.
parts_venv() {
  local name=$1 version=$2 requirement=$3 cache venv python=python3
  cache=$(parts_cache) || return 1
  if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
    parts_apt python3 python3-venv || return 1
    python=/usr/bin/python3
  fi
  venv=$cache/$name-$version-$("$python" -c 'import sys; print("py%d.%d" % sys.version_info[:2])') || return 1
  (
    flock 9
    if [[ ! -e $venv/complete ]] || ! "$venv/bin/python" -c '' 2>/dev/null; then
      printf 'ci/parts: installing %s %s (takes a minute, once per machine)\n' "$name" "$version" >&2
      rm -rf -- "$venv"
      if ! {
        "$python" -m venv "$venv" &&
          "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$requirement"
      } >"$venv.log" 2>&1 </dev/null; then
        parts_fail "pip cannot install $requirement: $(tail -n1 "$venv.log")"
        exit 1
      fi
      rm -f "$venv.log"
      : >"$venv/complete"
    fi
  ) 9>"$venv.lock" || return 1
  printf '%s\n' "$venv"
}

# parts_started PID: prints the start time of a living process. An ended one that nobody
# has reaped yet (a zombie, which "kill -0" takes for alive) is not living.
parts_started() {
  local stat fields
  # Not stat=$(<FILE): under errexit bash 5.2 ends the whole shell when FILE is missing.
  { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
  read -r -a fields <<<"${stat##*) }"
  [[ ${fields[0]} != [ZX] ]] && printf '%s\n' "${fields[19]}"
}

# parts_alive PIDFILE: whether the process noted there lives; sets parts_pid.
parts_alive() {
  local started
  parts_pid=
  [[ -r $1 ]] && read -r parts_pid started <"$1" && [[ $(parts_started "$parts_pid") == "$started" ]]
}

# parts_spawn PIDFILE LOGFILE COMMAND...: starts COMMAND in the background.
parts_spawn() {
  local pidfile=$1 logfile=$2 guard=()
  shift 2
  [[ ${PARTS_KEEP:-} == 1 ]] || guard=(setpriv --pdeathsig TERM --)
  "${guard[@]}" "$@" >"$logfile" 2>&1 </dev/null &
  printf '%s %s\n' "$!" "$(parts_started "$!")" >"$pidfile"
}

# parts_wait PIDFILE LOGFILE SECONDS NAME COMMAND...: waits until COMMAND succeeds; fails
# when the process has ended or the time is over.
parts_wait() {
  local pidfile=$1 logfile=$2 end=$((SECONDS + $3)) name=$4
  shift 4
  until "$@" >/dev/null 2>&1; do
    parts_alive "$pidfile" ||
      parts_fail "$name ended at its start: $(tail -n1 "$logfile")" || return 1
    ((SECONDS < end)) ||
      parts_fail "$name does not answer: $(tail -n1 "$logfile")" || return 1
    sleep 0.2
  done
}

# parts_end PIDFILE [SECONDS]: SIGTERM, after SECONDS (20) SIGKILL; waits for the end.
parts_end() {
  local end=$((SECONDS + ${2:-20}))
  if parts_alive "$1"; then
    kill "$parts_pid" 2>/dev/null || true
    while parts_alive "$1"; do
      if ((SECONDS >= end)); then
        kill -KILL "$parts_pid" 2>/dev/null || true
      fi
      sleep 0.1
    done
    wait "$parts_pid" 2>/dev/null || true
  fi
  rm -f -- "$1"
}

# parts_port_free ADDRESS PORT: fails when something listens there already (else the
# wait for our own server could be answered by somebody else's).
parts_port_free() {
  if (: <>"/dev/tcp/$1/$2") 2>/dev/null; then
    parts_fail "port $2 of $1 is taken"
    return 1
  fi
}

#!/bin/sh
# bootstrap: make the `tagline` of one exact version on this agent and print its path; nothing else on stdout.
#
# Variables that say where it comes from, looked at in this order:
#   TAGLINE_BIN         a tagline that is there already (the published image, a prepared agent): its path or name
#   TAGLINE_WHEELHOUSE  a folder of wheels with its tagline.lock, made by tools/wheelhouse; no network is used
#   TAGLINE_INDEX       the address of your package index; no public index is ever asked by itself
# and which one it is:
#   TAGLINE_LOCK        another lock than the wheelhouse's or the one beside this file: every line with its hashes
#   TAGLINE_VERSION     the only version that is accepted
# and how:
#   TAGLINE_CACHE       the folder that keeps environments (default: $XDG_CACHE_HOME/tagline or ~/.cache/tagline)
#   TAGLINE_PYTHON      the interpreter, 3.11 to 3.13 (default: python3)
set -eu

say() { printf 'tagline bootstrap: %s\n' "$*" >&2; }
die() {
  say "$*"
  exit 1
}

there_already() {
  found=$(command -v -- "$TAGLINE_BIN") || die "TAGLINE_BIN names $TAGLINE_BIN, which is no command here"
  version=$("$found" --version 9>&-) || die "$found does not run"
  version=${version#tagline }
  [ "${TAGLINE_VERSION:-$version}" = "$version" ] ||
    die "$found is version $version, and TAGLINE_VERSION asks for $TAGLINE_VERSION"
  printf '%s\n' "$found"
}

which_lock() {
  if [ -n "${TAGLINE_LOCK:-}" ]; then
    printf '%s\n' "$TAGLINE_LOCK"
  elif [ -n "${TAGLINE_WHEELHOUSE:-}" ]; then
    printf '%s\n' "$TAGLINE_WHEELHOUSE/tagline.lock"
  else
    printf '%s/bootstrap.lock\n' "$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)"
  fi
}

# prints the environment's key and the version that the lock names
look() {
  "$python" -I - "$1" <<'P'
import hashlib, re, sys, sysconfig
if not (3, 11) <= sys.version_info[:2] <= (3, 13):
    sys.exit("tagline bootstrap: tagline needs Python 3.11 to 3.13, this is %d.%d: set TAGLINE_PYTHON" % sys.version_info[:2])
try:
    import ensurepip, venv
except ImportError:
    sys.exit("tagline bootstrap: this Python cannot make environments: install python3-venv")
lock = open(sys.argv[1], "rb").read()
named = re.findall(rb"^tagline==(\S+)", lock, re.MULTILINE)
if len(named) != 1:
    sys.exit("tagline bootstrap: %s must name one exact version of tagline" % sys.argv[1])
about = repr((sys.version, sys.prefix, sysconfig.get_platform())).encode()
print(hashlib.sha256(lock + about).hexdigest()[:32], named[0].decode())
P
}

# one job at a time; the kernel lets go when this shell ends, however it ends
alone() {
  exec 9>"$1.lock"
  "$python" -I - <<'P' || die "another job has held $1.lock for 15 minutes"
import fcntl, sys, time
until = time.monotonic() + 900
while True:
    try:
        fcntl.flock(9, fcntl.LOCK_EX | fcntl.LOCK_NB)
        break
    except BlockingIOError:
        if time.monotonic() > until:
            sys.exit(1)
        time.sleep(0.2)
P
}

# the index goes by the environment: its address may hold a password, and arguments are seen by all
fetch_from() {
  unset PIP_EXTRA_INDEX_URL PIP_FIND_LINKS PIP_NO_INDEX PIP_INDEX_URL PIP_REQUIREMENT PIP_CONSTRAINT
  if [ -n "${TAGLINE_WHEELHOUSE:-}" ]; then
    PIP_NO_INDEX=1 PIP_FIND_LINKS=$TAGLINE_WHEELHOUSE PIP_ONLY_BINARY=:all:
    export PIP_NO_INDEX PIP_FIND_LINKS PIP_ONLY_BINARY
  else
    PIP_INDEX_URL=$TAGLINE_INDEX
    export PIP_INDEX_URL
  fi
}

install() {
  say "making tagline $2 in $3"
  rm -rf -- "$3"
  "$python" -I -m venv "$3" 9>&- >&2 || die "no environment could be made in $3"
  (
    fetch_from
    "$3/bin/python" -I -m pip install --quiet --no-input --disable-pip-version-check --retries 3 --timeout 30 \
      --require-hashes --no-deps -r "$1" 9>&- >&2
  ) || die "tagline $2 could not be installed from ${TAGLINE_WHEELHOUSE:-TAGLINE_INDEX}"
  said=$("$3/bin/tagline" --version 2>&1 9>&-) || {
    rm -rf -- "$3"
    die "tagline $2 was installed and does not run: $(printf '%s\n' "$said" | tail -n 1)"
  }
  : >"$3/.complete"
}

main() {
  [ -z "${TAGLINE_BIN:-}" ] || {
    there_already
    return
  }
  [ -n "${TAGLINE_WHEELHOUSE:-}${TAGLINE_INDEX:-}" ] ||
    die "set TAGLINE_WHEELHOUSE or TAGLINE_INDEX (or TAGLINE_BIN, where tagline is there already)"
  python=${TAGLINE_PYTHON:-python3}
  command -v -- "$python" >/dev/null || die "no $python here: set TAGLINE_PYTHON"
  lock=$(which_lock)
  [ -r "$lock" ] || die "no lock at $lock"
  [ -n "${TAGLINE_CACHE:-}${XDG_CACHE_HOME:-}${HOME:-}" ] || die "no HOME: set TAGLINE_CACHE"
  cache=${TAGLINE_CACHE:-${XDG_CACHE_HOME:-${HOME:-}/.cache}/tagline}
  seen=$(look "$lock")
  version=${seen#* }
  [ "${TAGLINE_VERSION:-$version}" = "$version" ] ||
    die "$lock is of tagline $version, and TAGLINE_VERSION asks for $TAGLINE_VERSION: name its lock in TAGLINE_LOCK"
  home=$cache/cli/${seen%% *}
  if [ ! -e "$home/.complete" ]; then
    mkdir -p -- "$cache/cli"
    alone "$home"
    [ -e "$home/.complete" ] || install "$lock" "$version" "$home"
  fi
  printf '%s\n' "$home/bin/tagline"
}

main

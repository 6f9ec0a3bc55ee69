#!/usr/bin/env bash
# Make a database image from Debian's packages, for a machine that reaches a
# Debian mirror but no container registry.
#
# Usage: scripts/build-image.sh mariadb|mariadb-10.11|mysql [TAG]
#
#   mariadb        MariaDB from Debian trixie (11.8),    TAG xtask-mariadb:VERSION
#   mariadb-10.11  MariaDB from Debian bookworm (10.11), TAG xtask-mariadb:VERSION
#   mysql          MySQL from Debian sid (9.7),          TAG xtask-mysql:VERSION
#
# Needs root (debootstrap does), debootstrap and a docker engine. The last line
# on standard output is the tag: XTASK_MARIADB_IMAGE=TAG makes xtask.py use it.
# XTASK_DEBIAN_MIRROR names another mirror than debootstrap's own.
#
# Nothing is started here. A database server is started and torn down by
# scripts/lease.sh alone, and that by xtask.py alone: do not `docker run` this.
set -euo pipefail

directory=

say() {
  printf 'build-image: %s\n' "$*" >&2 || true
}

fail() {
  say "error: $*"
  exit 1
}

cleanup() {
  local status=$?
  trap - EXIT
  trap '' HUP INT TERM PIPE
  if [[ -n $directory ]]; then
    # debootstrap killed half-way leaves /proc and /sys mounted inside:
    # rm -rf must not walk into them.
    umount "$directory/root/proc" "$directory/root/sys" 2>/dev/null || true
    rm -rf --one-file-system "$directory" || true
  fi
  exit "$status"
}

# The packages a server needs, and the client for the health check.
choose() {
  case $1 in
    mariadb) suite=trixie packages=mariadb-server-core,mariadb-client-core server=mariadbd ;;
    mariadb-10.11) suite=bookworm packages=mariadb-server-core,mariadb-client-core server=mariadbd ;;
    mysql) suite=sid packages=mysql-server-core,mysql-client-core server=mysqld ;;
    *) fail "unknown kind '$1' (expected mariadb, mariadb-10.11 or mysql)" ;;
  esac
}

# The version as MAJOR.MINOR, asked of the server that was unpacked.
version() {
  chroot "$directory/root" "/usr/sbin/$server" --no-defaults --version 2>/dev/null |
    sed -n 's/.*Ver \([0-9]*\.[0-9]*\).*/\1/p'
}

bootstrap() {
  say "unpacking $packages of Debian $suite"
  # Its words are long and matter only when it fails.
  if ! debootstrap --variant=minbase --include="$packages" "$suite" "$directory/root" \
    ${XTASK_DEBIAN_MIRROR:+"$XTASK_DEBIAN_MIRROR"} </dev/null >"$directory/log" 2>&1; then
    tail -n 20 "$directory/log" >&2 || true
    fail "debootstrap failed"
  fi
  rm -rf "$directory"/root/var/cache/apt/* "$directory"/root/var/lib/apt/lists/* \
    "$directory"/root/usr/share/doc/* "$directory"/root/usr/share/man/* \
    "$directory"/root/usr/share/locale/*
}

main() {
  local tool kind=${1:-} tag=${2:-} suite packages server before
  if [[ -z $kind || $kind == -h || $kind == --help || $# -gt 2 ]]; then
    sed -n '2,/^set /{/^#/s/^# \{0,1\}//p;}' "$0" >&2
    exit 2
  fi
  choose "$kind"
  for tool in debootstrap docker chroot; do
    command -v "$tool" >/dev/null || fail "$tool is missing (apt-get install debootstrap docker.io)"
  done
  [[ $EUID -eq 0 ]] || fail "debootstrap needs root: sudo $0 $*"

  trap cleanup EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  directory=$(mktemp -d "${TMPDIR:-/tmp}/xtask-image.XXXXXX")
  bootstrap
  tag=${tag:-xtask-${kind%%-*}:$(version)}
  say "importing $tag"
  before=$(docker image inspect --format '{{.Id}}' "$tag" 2>/dev/null) || before=
  # The data directory as a volume would be in the way of the tmpfs: none is declared.
  tar -C "$directory/root" -c . | docker import - "$tag" >/dev/null
  # The image that had the tag before, unless it has another.
  if [[ -n $before && $(docker image inspect --format '{{len .RepoTags}}' "$before") == 0 ]]; then
    docker image rm "$before" >/dev/null || true
  fi
  printf '%s\n' "$tag"
}

main "$@"

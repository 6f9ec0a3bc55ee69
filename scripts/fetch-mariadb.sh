#!/usr/bin/env bash
# Unpack Debian's mariadb-server-core into STATE/server, without root and without
# installing anything. Debian and Ubuntu only.
#
# Usage: scripts/fetch-mariadb.sh STATE SCRATCH
#        scripts/fetch-mariadb.sh ask SCRATCH      can it be had? prints its version
#
# SCRATCH is a directory beside STATE to work in, made here and removed here. The
# whole of STATE/server appears at once or not at all, so two runs at once are
# fine, and an interrupted one leaves nothing.
#
# Started by scripts/lease.sh and by `xtask.py doctor` alone. Do not start a
# server from STATE by hand: nothing would tear it down.
set -euo pipefail

state=${1:?} scratch=${2:?}

fail() {
  printf 'fetch-mariadb: error: %s\n' "$*" >&2 || true
  exit 1
}

cleanup() {
  local status=$?
  trap - EXIT
  trap '' HUP INT TERM PIPE
  rm -rf "$scratch" || true
  exit "$status"
}

# All that apt writes goes below SCRATCH; what is installed is read from dpkg's
# own status, so that only what the machine lacks is fetched.
configure() {
  mkdir -p "$scratch/lists/partial" "$scratch/archives/partial" "$scratch/unpacked"
  cat >"$scratch/apt.conf" <<CONF
Dir::State "$scratch";
Dir::State::status "/var/lib/dpkg/status";
Dir::State::lists "$scratch/lists";
Dir::Cache "$scratch";
Dir::Cache::archives "$scratch/archives";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Dir::Log "$scratch";
Debug::NoLocking "true";
APT::Sandbox::User "";
APT::Install-Recommends "false";
APT::Get::Assume-Yes "true";
APT::Get::List-Cleanup "false";
Acquire::Languages "none";
Acquire::PDiffs "false";
Acquire::Retries "2";
Acquire::http::Timeout "20";
Acquire::https::Timeout "20";
Quiet "1";
// Hooks of the machine clean its own caches or report to its own desktop.
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Install-Pkgs;
#clear Acquire::IndexTargets::deb::Contents-deb;
#clear Acquire::IndexTargets::deb::DEP-11;
CONF
}

# One broken source of many is no reason to stop: the next step tells.
update() {
  apt-get -c "$scratch/apt.conf" update || true
}

ask() {
  local words
  words=$(apt-get -c "$scratch/apt.conf" install --simulate mariadb-server-core) ||
    fail "no archive has mariadb-server-core"
  words=${words##*Inst mariadb-server-core (}
  printf '%s\n' "${words%% *}"
}

fetch() {
  local package
  apt-get -c "$scratch/apt.conf" install --download-only mariadb-server-core ||
    fail "apt-get cannot fetch mariadb-server-core"
  for package in "$scratch"/archives/*.deb; do
    [[ -e $package ]] || fail "apt-get fetched no package"
    dpkg -x "$package" "$scratch/unpacked" || fail "cannot unpack ${package##*/}"
  done
  rm -rf "$scratch"/unpacked/usr/share/{doc,man,lintian}
  [[ -x $scratch/unpacked/usr/sbin/mariadbd ]] || fail "the package holds no mariadbd"
}

main() {
  local tool
  for tool in apt-get dpkg; do
    command -v "$tool" >/dev/null || fail "$tool is missing: this works on Debian and Ubuntu only"
  done
  trap cleanup EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  export LC_ALL=C
  if [[ $state == ask ]]; then
    configure
    update </dev/null >&2
    ask </dev/null
    return
  fi
  # What a power cut left: nobody takes an hour over this.
  find "${state%/*}" -maxdepth 1 -name "${state##*/}.*" -mmin +60 -exec rm -rf {} + || true
  configure
  update </dev/null
  fetch </dev/null
  # -T: into place or not at all, never into a directory that another run has
  # just put there. (GNU's mv; so is every mv where apt-get is.)
  mkdir -p "$state" || fail "cannot write $state"
  mv -T "$scratch/unpacked" "$state/server" 2>/dev/null ||
    [[ -x $state/server/usr/sbin/mariadbd ]] || fail "cannot write $state"
}

main "$@"

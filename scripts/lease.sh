#!/usr/bin/env bash
# A leased database server: made, held while standard input stays open, and
# torn down, by whatever way it ends.
#
#   xtask.py == standard input ==> HOLDER -- starts --> WORKER -- starts --> server
#                                   ^  |                 |
#                                   |  +- starts first   +- "I give up": USR1 to the
#                                   |  v                    holder, its status in a file
#                                  GUARD
#
# Who ends whom: the end of xtask.py, however it comes, closes the holder's
# input; the holder then ends the worker's process group, the server in it, and
# removes what they left: `teardown`, the only one there is. The guard reads a
# pipe of which the holder alone has the other end: where the holder is killed
# it does the same teardown, and where the lease is older than its lifetime it
# sends the holder USR2. Where both are killed, the server ends with a lifetime
# of its own, and the next run sweeps what is left. The worker ends nobody.
#
# Usage: scripts/lease.sh hold local|docker
#        scripts/lease.sh sweep local|docker [LEASE]
#
# hold   starts a server, prints how to reach it as one line of JSON, answers a
#        line "log" with the last lines of the logs ("log: …", then "end"), and
#        tears all down at the end of its input. Failures are told as one line
#        "error: …" and lines "log: …". Exit status: 0 end of input, 1 the
#        server failed, 2 usage, 3 this engine cannot be used here, 4 something
#        may be left (the engine does not answer), 129, 130 and 143 by signal.
# sweep  tears down what leases left whose owner is surely dead, and takes
#        nothing else; with LEASE, that one, whoever owns it. Exit status 4 as
#        above.
#
# A function that returns more than a status sets names that stand in capitals
# behind its own: SEEN_STATE, BASES.
#
# Started by xtask.py alone, with the environment that `check` below names. A
# database server is started and torn down here and nowhere else: do not run
# this by hand, do not add a second way to stop a server, and do not start one
# in a test, a hook or a Makefile.
set -euo pipefail

here=${BASH_SOURCE[0]%/*}
[[ $here != "${BASH_SOURCE[0]}" ]] || here=.
here=$(cd "$here" && pwd -P)
engine='' lease='' directory='' lifetime='' holder_start='' watch=''
SEEN_STATE='' SEEN_START='' BASES=() BOOT_ID='' NAMESPACE=''

# shellcheck source=scripts/engine-local.sh
source "$here/engine-local.sh"
# shellcheck source=scripts/engine-docker.sh
source "$here/engine-docker.sh"

# --- words -------------------------------------------------------------------

# To xtask.py, over a pipe that may be gone. One write a line, so that lines of
# two processes do not mix.
say() {
  printf '%s\n' "$*" 2>/dev/null || true
}

note() {
  say "note: $*"
}

# To the log in the lease's directory (standard error once there is one).
log() {
  printf 'lease: %s\n' "$*" >&2 || true
}

json() {
  local text=${1//\\/\\\\}
  printf '%s' "${text//\"/\\\"}"
}

tell_log() { # LINES
  local file line
  for file in "$directory/log" "$directory/server.log"; do
    [[ -s $file ]] || continue
    while IFS= read -r line || [[ -n $line ]]; do
      say "log: $line"
    done < <(tail -n "$1" "$file" 2>/dev/null)
  done
}

# --- who runs ----------------------------------------------------------------

# Sets SEEN_STATE and SEEN_START of a process. A pid alone names nobody, for
# pids are used again; a pid with its start time does.
look_at() { # PID
  local words line=
  SEEN_STATE='' SEEN_START=''
  if [[ -r /proc/self/stat ]]; then
    { IFS= read -r -d '' line <"/proc/$1/stat" || true; } 2>/dev/null
    [[ -n $line ]] || return 1
    # The name before it may hold anything. Not <<<, which needs a disk with room.
    # shellcheck disable=SC2206 # numbers and letters
    words=(${line##*) })
    SEEN_STATE=${words[0]} SEEN_START=${words[19]}
  else
    line=$(LC_ALL=C ps -o stat=,lstart= -p "$1" 2>/dev/null) || return 1
    # shellcheck disable=SC2206 # numbers and letters
    words=($line)
    [[ ${#words[@]} -eq 6 ]] || return 1
    SEEN_STATE=${words[0]} SEEN_START=$(IFS=-; printf '%s' "${words[*]:1}")
  fi
}

# A zombie does not run.
alive() { # PID START
  look_at "$1" && [[ $SEEN_STATE != [ZX]* && $SEEN_START == "$2" ]]
}

# Whether anything but zombies is left of a process group.
group_runs() { # GROUP
  local line words file
  if [[ -r /proc/self/stat ]]; then
    for file in /proc/[0-9]*/stat; do
      { IFS= read -r -d '' line <"$file" || true; } 2>/dev/null
      # shellcheck disable=SC2206 # numbers and letters
      words=(${line##*) })
      [[ ${words[2]:-} != "$1" || ${words[0]} == [ZX]* ]] || return 0
      line=''
    done
    return 1
  fi
  # shellcheck disable=SC2009 # pgrep tells no state
  ps -A -o pgid= -o stat= | grep -Eq "^ *$1 +[^Z]"
}

alive_in() { # FILE
  local pid='' start=''
  { read -r pid start <"$1"; } 2>/dev/null || return 1
  [[ $pid =~ ^[0-9]+$ ]] && alive "$pid" "$start"
}

# Write down who the present (sub)shell is. bash 3.2 has no BASHPID.
record() { # FILE
  local pid=${BASHPID:-}
  # shellcheck disable=SC2016 # sh is to expand it
  [[ -n $pid ]] || pid=$(exec sh -c 'echo "$PPID"')
  look_at "$pid"
  printf '%s %s\n' "$pid" "$SEEN_START" >"$1"
}

# Become a command that a teardown finds even without its parents. For a
# subshell; explicit &&, for set -e sleeps wherever somebody asks for a status.
become_recorded() {
  record "$directory/child" && exec "$@"
}

# Sets BOOT_ID and NAMESPACE, once.
look_at_machine() {
  [[ -z $BOOT_ID ]] || return 0
  if [[ -r /proc/sys/kernel/random/boot_id ]]; then
    read -r BOOT_ID </proc/sys/kernel/random/boot_id
  else
    BOOT_ID=$(sysctl -n kern.bootsessionuuid 2>/dev/null) || true
  fi
  NAMESPACE=$(readlink /proc/self/ns/pid 2>/dev/null) || NAMESPACE=-
}

# Only what is certain counts: another boot of this machine (for what lies on
# it), or the same boot and pid namespace and no such process any more.
surely_dead() { # local|remote PID START BOOT NAMESPACE
  [[ $2 =~ ^[0-9]+$ && -n ${5:-} ]] || return 1
  look_at_machine
  [[ -n $BOOT_ID ]] || return 1
  if [[ $4 != "$BOOT_ID" ]]; then
    [[ $1 == local ]]
    return
  fi
  [[ $5 == "$NAMESPACE" ]] || return 1
  if look_at "$2"; then
    [[ $SEEN_STATE == [ZX]* || $SEEN_START != "$3" ]]
  else # not to be seen (another user's, hidepid) is not to be gone
    [[ $(LC_ALL=C kill -s 0 "$2" 2>&1) == *"o such process"* ]]
  fi
}

# --- teardown: the only one --------------------------------------------------

# End the worker and all it started: one process group, which the worker leads.
# Its number is used only while a recorded member of it is known to run. The
# child goes first and alone, so that its parent takes note of its end: not
# every PID 1 does.
end_processes() { # DIRECTORY
  local group='' child='' tries end=$((SECONDS + 5))
  { read -r group _ <"$1/worker"; } 2>/dev/null || return 0
  alive_in "$1/worker" || alive_in "$1/child" || alive_in "$1/lifetime" || return 0
  if alive_in "$1/child"; then
    read -r child _ <"$1/child"
    kill -s KILL "$child" 2>/dev/null || true
    for ((tries = 0; tries < 50; tries++)); do
      alive_in "$1/worker" || alive_in "$1/child" || break
      sleep 0.005
    done
  fi
  while kill -s KILL -- "-$group" 2>/dev/null && group_runs "$group"; do
    ((SECONDS < end)) || return 1
    sleep 0.01
  done
}

# Nothing in here may stop it half-way, and it may run twice, also at once
# (holder, guard, sweep). Fails where something may be left.
teardown() { # ENGINE LEASE DIRECTORY
  local scratch='' tries status=0 gone=$3
  if [[ -n $gone ]]; then
    gone=${gone%.gone}.gone
    # Renamed first, in one step: a worker that has not yet written down who it
    # is cannot do so any more, and ends. All others are on record.
    [[ -d $gone ]] || mv "$3" "$gone" 2>/dev/null || true
    # At once, for nothing of it is worth keeping: the server, or the client
    # that is still fetching or creating.
    end_processes "$gone" || { log "processes of $2 did not end"; status=1; }
  fi
  if [[ $1 == docker ]]; then
    remove_containers "$2" "$gone" || status=1
  fi
  [[ -n $gone ]] || return "$status"
  { read -r scratch <"$gone/scratch"; } 2>/dev/null || true
  case ${scratch##*/} in
    .mariadb.?* | xtask.?*) rm -rf "$scratch" || true ;;
  esac
  for ((tries = 0; tries < 20; tries++)); do
    rm -rf "$gone" 2>/dev/null || true
    [[ -e $gone ]] || return "$status"
    sleep 0.05
  done
  return 1
}

# --- hold --------------------------------------------------------------------

cleanup() {
  local status=$?
  trap - EXIT
  trap '' HUP INT TERM PIPE USR1 USR2
  if [[ -n $directory ]]; then
    teardown "$engine" "$lease" "$directory" </dev/null >/dev/null || status=4
    # The guard has nothing left to do.
    { echo 'done' >&9; } 2>/dev/null || true
    exec 9>&-
    wait "$watch" 2>/dev/null || true
  fi
  exit "$status"
}

# Called by the worker: say why, and have the holder end with this status.
give_up() { # STATUS SENTENCE
  trap - EXIT
  if [[ -d $directory ]]; then # else a teardown ended it: no news
    say "error: $2"
    tell_log 20
    printf '%s\n' "$1" >"$directory/status" 2>/dev/null || true
  fi
  kill -s USR1 $$ 2>/dev/null || true
  exit "$1"
}

# The trap of USR1.
given_up() {
  local status=''
  { read -r status <"$directory/status"; } 2>/dev/null || true
  [[ -n $status ]] || say "error: the lease was torn down by somebody else"
  exit "${status:-1}"
}

# Waits for the holder's end, whatever ends it, kill -9 included: its pipe
# closes then, for the holder alone has the other end.
guard() {
  local word=''
  read -r -t "$lifetime" word || true
  [[ $word != 'done' ]] || exit 0
  if alive $$ "$holder_start"; then
    kill -s USR2 $$ 2>/dev/null || true # its lifetime is over
    read -r -t 20 word || true
    [[ $word != 'done' ]] || exit 0
  fi
  teardown "$engine" "$lease" "$directory" || true
}

# In a process group of its own, and with a parent that takes note of its end.
start_guard() {
  look_at $$
  holder_start=$SEEN_START
  # Not a FIFO, which would need a directory, which would need a guard.
  exec 9> >(
    exec >/dev/null 2>&1
    trap '' HUP INT TERM PIPE
    set -m
    guard <&0 9>&- &
    exec <&-
    wait
  )
  watch=$! # in bash 3.2 this is not the one, and is not waited for
}

# All that takes time and may fail, in a process group of its own.
work() {
  trap 'give_up 1 "scripts/lease.sh failed where it should not"' EXIT
  record "$directory/worker"
  "work_$engine"
}

# What this script needs of its environment, for both commands and engines.
check() {
  local name
  for name in XTASK_LEASE XTASK_PASSWORD XTASK_RIGHTS XTASK_OWNER; do
    [[ -n ${!name:-} ]] || refuse 2 "$name is not set: scripts/lease.sh is started by xtask.py alone"
  done
  [[ $XTASK_LEASE =~ ^[a-z0-9][a-z0-9_]{0,31}$ ]] || refuse 2 "XTASK_LEASE is no lease id"
  [[ $XTASK_PASSWORD =~ ^[A-Za-z0-9]+$ ]] || refuse 2 "XTASK_PASSWORD is not alphanumeric"
  [[ $XTASK_RIGHTS == database || $XTASK_RIGHTS == all ]] || refuse 2 "XTASK_RIGHTS is neither database nor all"
  [[ $XTASK_OWNER =~ ^[0-9]+\ [^\ ]+\ [^\ ]+\ [^\ ]+$ ]] || refuse 2 "XTASK_OWNER is no identity"
  lifetime=${XTASK_LIFETIME:-3600}
  [[ $lifetime =~ ^[1-9][0-9]{0,8}$ ]] || refuse 2 "XTASK_LIFETIME is no number of seconds"
}

refuse() { # STATUS SENTENCE
  say "error: $2"
  exit "$1"
}

has_room() { # DIRECTORY
  local words
  { read -r _; read -r -a words; } < <(df -Pk "$1" 2>/dev/null) || return 1
  [[ ${words[3]:-} =~ ^[0-9]+$ ]] && ((words[3] >= 400 * 1024))
}

# Sets BASES: where leases live, best first.
choose_bases() {
  if [[ -n ${XTASK_DATA_DIR:-} ]]; then
    BASES=("${XTASK_DATA_DIR%/}")
  else
    BASES=(/dev/shm "${TMPDIR:-/tmp}" /tmp)
    BASES[1]=${BASES[1]%/}
  fi
}

# In memory where there is room. The path is kept short: a socket's name may
# have 104 bytes on macOS, 108 on Linux.
make_directory() {
  local base path
  choose_bases
  for base in "${BASES[@]}"; do
    path=$base/xtask.$lease
    [[ -d $base && -w $base && ${#path} -lt 97 ]] || continue
    if [[ $engine == local && $base == /dev/shm ]] && ! has_room "$base"; then
      continue
    fi
    # First, for a trap may run between any two commands; and the guard, whose
    # pipe mkdir has too, so that it is told of no end before mkdir's.
    directory=$path
    start_guard
    if ! mkdir -m 700 "$path"; then
      directory=''
      echo 'done' >&9
      refuse 3 "$path cannot be made"
    fi
    # One write, at once: a sweep takes a directory without this file only when
    # it has been so for a minute.
    printf '%s %s\n' "$XTASK_OWNER" "$engine" >"$directory/owner"
    return
  done
  refuse 3 "no directory for the server: none of ${BASES[*]} can be written to, or their names are too long"
}

hold() {
  local word
  check
  lease=$XTASK_LEASE
  trap cleanup EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  trap 'exit 141' PIPE
  trap given_up USR1
  trap 'say "error: the lease was older than its lifetime of $lifetime s"; exit 1' USR2
  make_directory
  exec 2>>"$directory/log"
  set -m # in a process group of its own
  work </dev/null 9>&- &
  set +m

  # Not a foreground `cat`: a trap runs only after it.
  while read -r word; do
    if [[ $word == log ]]; then
      tell_log 15
      say end
    fi
  done
  exit 0
}

# --- sweep -------------------------------------------------------------------

sweep() { # [LEASE]
  local base path name owner status=0
  choose_bases
  for base in "${BASES[@]}"; do
    for path in "$base"/xtask.*; do
      # Another user's, or a link to elsewhere, is not ours.
      [[ -d $path && ! -L $path && -O $path ]] || continue
      name=${path##*/xtask.}
      name=${name%.gone}
      [[ $name =~ ^[a-z0-9][a-z0-9_]{0,31}$ ]] || continue
      owner=()
      { read -r -a owner <"$path/owner"; } 2>/dev/null || true
      if [[ -n $lease ]]; then
        [[ $name == "$lease" ]] || continue
      elif [[ ${#owner[@]} -ne 5 ]]; then
        # Killed between two steps of make_directory, or of rm.
        [[ -n $(find "$path" -maxdepth 0 -mmin +1 2>/dev/null) ]] || continue
      else
        [[ ${owner[4]} == local || $engine == docker ]] || continue
        surely_dead local "${owner[@]:0:4}" || continue
      fi
      teardown "${owner[4]:-$engine}" "$name" "$path" || { status=4; continue; }
      note "removed what lease $name left"
    done
  done
  if [[ $engine == docker ]]; then
    sweep_containers || status=4
  fi
  return "$status"
}

# A PATH without one of these would end a teardown half-way.
check_tools() {
  local tool missing=''
  for tool in cat cksum df find grep mkdir mv readlink rm sed sleep stat tail; do
    command -v "$tool" >/dev/null || missing+=" $tool"
  done
  [[ -z $missing ]] || refuse 3 "not in PATH:$missing (scripts/lease.sh needs them)"
}

main() {
  local command=${1:-}
  engine=${2:-} lease=${3:-}
  check_tools
  case $command:$engine:$# in
    hold:local:2 | hold:docker:2) hold ;;
    sweep:local:[23] | sweep:docker:[23]) sweep ;;
    *)
      sed -n '2,/^set /{/^#/s/^# \{0,1\}//p;}' "${BASH_SOURCE[0]}" >&2
      exit 2
      ;;
  esac
}

main "$@"

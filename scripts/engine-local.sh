# shellcheck shell=bash
# shellcheck disable=SC2154 # here, directory, lease: set by lease.sh, which sources this
# The local engine: a private mariadbd with an empty data directory. Sourced by
# scripts/lease.sh, which alone may start and tear down a server; nothing here
# may be called from elsewhere.

local_project=${here%/*}
cache=$local_project/.mariadb # the unpacked server, and the empty data directory of the last one that ran

# Sets `server`, and `prefix` where it was unpacked by fetch-mariadb.sh.
find_mariadbd() {
  local candidate
  prefix=
  if server=$(command -v mariadbd); then
    return
  fi
  for candidate in /usr/sbin/mariadbd /usr/libexec/mariadbd /usr/local/sbin/mariadbd \
    /opt/homebrew/opt/mariadb/bin/mariadbd /usr/local/opt/mariadb/bin/mariadbd \
    "$cache/server/usr/sbin/mariadbd"; do
    if [[ -x $candidate ]]; then
      server=$candidate
      case $candidate in "$cache"/*) prefix=$cache/server/usr ;; esac
      return
    fi
  done
  return 1
}

fetch_mariadbd() {
  if ! command -v apt-get >/dev/null || ! command -v dpkg >/dev/null; then
    give_up 3 "no mariadbd on this machine; get one with \`apt-get install mariadb-server-core\` or \`brew install mariadb\`, or use Docker"
  fi
  note "unpacking Debian's mariadb-server-core into .mariadb/ (once)"
  (become_recorded "$BASH" "$here/fetch-mariadb.sh" "$scratch") >&2 ||
    give_up 3 "could not fetch mariadb-server-core; get a server with \`apt-get install mariadb-server-core\`, or use Docker"
  find_mariadbd || give_up 3 "fetched mariadb-server-core, but no mariadbd came of it"
}

announce_local() { # PORT
  say "$(printf '{"engine":"local","socket":"%s","port":%s,"directory":"%s"}' \
    "$(json "$directory/s")" "$1" "$(json "$directory")")"
}

# Become boot-server.sh and then the server; its words are the server's log.
# For a subshell.
boot_local() { # PORT [STEP]
  export XTASK_BOOT_DIR=$directory XTASK_BOOT_SERVER=$server XTASK_BOOT_PREFIX=$prefix
  export XTASK_BOOT_PORT=$1 XTASK_BOOT_ADDRESS=127.0.0.1
  export XTASK_BOOT_CACHE=$cache XTASK_BOOT_SCRATCH=$scratch
  shift
  become_recorded "$BASH" "$here/boot-server.sh" "$@" >>"$directory/server.log" 2>&1
}

# The server opens its TCP port before its socket, so the socket's file says
# that the port is really ours; a port that someone else took ends the server.
boot_local_network() {
  local attempt port
  (boot_local 0 bootstrap) || give_up 1 "the database server could not be set up"
  for attempt in 1 2 3 4 5 6 7 8; do
    port=$((16384 + RANDOM % 16384)) # below the ports systems give out themselves
    boot_local "$port" start &
    booted=$!
    until [[ -S $directory/s ]]; do
      if ! kill -0 "$booted" 2>/dev/null; then
        grep -qi 'bind on tcp/ip port\|address already in use' "$directory/server.log" || break 2
        log "attempt $attempt: port $port was taken"
        continue 2
      fi
      sleep 0.02
    done
    announce_local "$port"
    break
  done
}

work_local() {
  local server prefix library booted status=0 scratch=$cache.$lease
  # Written first: whoever tears this lease down removes it, also after kill -9.
  printf '%s\n' "$scratch" >"$directory/scratch"
  find_mariadbd || fetch_mariadbd
  log "server $server"
  if [[ -n $prefix ]]; then
    for library in "${prefix%/usr}"/usr/lib/*-linux-* "${prefix%/usr}"/lib/*-linux-*; do
      [[ -d $library ]] && LD_LIBRARY_PATH=$library${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    done
    export LD_LIBRARY_PATH
  fi
  if [[ ${XTASK_NETWORK:-0} == 1 ]]; then
    boot_local_network
  else
    announce_local 0
    boot_local 0 &
    booted=$!
  fi
  { wait "$booted" || status=$?; } 2>/dev/null # bash's own word about a killed job
  give_up 1 "the database server ended on its own, with exit status $status"
}

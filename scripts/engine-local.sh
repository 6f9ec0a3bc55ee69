# shellcheck shell=bash
# shellcheck disable=SC2154 # here, directory, lease: set by lease.sh, which sources this
# The local engine: a private mariadbd or mysqld with an empty data directory. Sourced by
# scripts/lease.sh, which alone may start and tear down a server; nothing here
# may be called from elsewhere.

local_project=${here%/*}
# The unpacked server, and the empty data directory of the last one that ran.
cache=${XTASK_STATE:-$local_project/.mariadb}
SERVER='' PREFIX='' # set by find_server
BOOTED=''           # set by boot_local_network: the pid of the server

# Sets SERVER, and PREFIX where it was unpacked by fetch-mariadb.sh.
find_server() {
  local candidate binary=mariadbd
  [[ ${XTASK_FLAVOUR:-MariaDB} != MySQL ]] || binary=mysqld
  for candidate in "$(command -v "$binary" || true)" \
    /usr/sbin/"$binary" /usr/libexec/"$binary" /usr/local/sbin/"$binary" \
    /opt/homebrew/opt/mariadb/bin/"$binary" /usr/local/opt/mariadb/bin/"$binary" \
    /opt/homebrew/opt/mysql/bin/"$binary" /usr/local/opt/mysql/bin/"$binary" \
    "$cache/server/usr/sbin/$binary"; do
    [[ -n $candidate && -x $candidate ]] || continue
    # MariaDB's packages bring a link of the name mysqld.
    [[ $binary == mariadbd || $("$candidate" --no-defaults --version 2>/dev/null) != *MariaDB* ]] ||
      continue
    SERVER=$candidate
    case $candidate in "$cache"/*) PREFIX=$cache/server/usr ;; esac
    return
  done
  return 1
}

fetch_server() {
  [[ ${XTASK_FLAVOUR:-MariaDB} == MariaDB ]] || give_up 3 "there is no mysqld on this machine"
  if ! command -v apt-get >/dev/null || ! command -v dpkg >/dev/null; then
    give_up 3 "no mariadbd on this machine; get one with \`apt-get install mariadb-server-core\` or \`brew install mariadb\`, or use Docker"
  fi
  note "unpacking Debian's mariadb-server-core into $cache (once)"
  (become_recorded "$BASH" "$here/fetch-mariadb.sh" "$cache" "$scratch") >&2 ||
    give_up 3 "could not fetch mariadb-server-core; get a server with \`apt-get install mariadb-server-core\`, or use Docker"
  find_server || give_up 3 "fetched mariadb-server-core, but no mariadbd came of it"
}

announce_local() { # PORT
  say "$(printf '{"engine":"local","socket":"%s","port":%s,"directory":"%s"}' \
    "$(json "$directory/s")" "$1" "$(json "$directory")")"
}

# Become boot-server.sh and then the server; its words are the server's log.
# For a subshell.
boot_local() { # PORT [STEP]
  export XTASK_BOOT_DIR=$directory XTASK_BOOT_SERVER=$SERVER XTASK_BOOT_PREFIX=$PREFIX
  export XTASK_BOOT_PORT=$1 XTASK_BOOT_ADDRESS=127.0.0.1
  export XTASK_BOOT_CACHE=$cache XTASK_BOOT_SCRATCH=$scratch
  shift
  [[ ${1:-} == bootstrap ]] || end_after_lifetime &
  become_recorded "$BASH" "$here/boot-server.sh" "$@" >>"$directory/server.log" 2>&1
}

# For a server whose holder and guard were both killed. In the worker's process
# group, so that a teardown ends it too.
end_after_lifetime() {
  local pid=''
  trap - EXIT
  # Not at the call: there bash would keep the old streams open beside.
  exec </dev/null >/dev/null 2>&1
  record "$directory/lifetime"
  sleep "$((lifetime + 5))" # holder and guard come first, and say why
  alive_in "$directory/child" || return 0
  read -r pid _ <"$directory/child"
  kill -s KILL "$pid" || true
  rm -rf "$directory"
}

# The server opens its TCP port before its socket, so the socket's file says
# that the port is really ours; a port that someone else took ends the server.
boot_local_network() {
  local attempt port
  BOOTED=''
  (boot_local 0 bootstrap) || give_up 1 "the database server could not be set up"
  for attempt in 1 2 3 4 5 6 7 8; do
    port=$((16384 + RANDOM % 16384)) # below the ports systems give out themselves
    boot_local "$port" start &
    BOOTED=$!
    until [[ -S $directory/s ]]; do
      if ! kill -0 "$BOOTED" 2>/dev/null; then
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
  local library status=0 scratch=$cache.$lease
  # Written first: whoever tears this lease down removes it, also after kill -9.
  printf '%s\n' "$scratch" >"$directory/scratch"
  find_server || fetch_server
  log "server $SERVER"
  if [[ -n $PREFIX ]]; then
    for library in "${PREFIX%/usr}"/usr/lib/*-linux-* "${PREFIX%/usr}"/lib/*-linux-*; do
      [[ -d $library ]] && LD_LIBRARY_PATH=$library${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    done
    export LD_LIBRARY_PATH
  fi
  if [[ ${XTASK_NETWORK:-0} == 1 ]]; then
    boot_local_network
  else
    announce_local 0
    boot_local 0 &
    BOOTED=$!
  fi
  { wait "$BOOTED" || status=$?; } 2>/dev/null # bash's own word about a killed job
  give_up 1 "the database server ended on its own, with exit status $status"
}

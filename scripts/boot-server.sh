#!/usr/bin/env bash
# Make an empty MariaDB or MySQL server with one database and one user, and
# become it. The same text serves a private server of this machine (run by
# scripts/engine-local.sh) and a container (docker-compose.mariadb.yml gives it
# to `bash -c` in place of the image's entrypoint, whose temporary first server
# costs seconds and answers before the real one is there).
#
# Usage: boot-server.sh [bootstrap|start]      both when neither is given
#
#   XTASK_LEASE        name of the database and of the user
#   XTASK_PASSWORD     the user's password
#   XTASK_RIGHTS       database: everything on databases that bear the lease's
#                      name or begin with it and "_"; all: everything
#   XTASK_BOOT_DIR     a directory of the server's own; /var/lib/mysql
#   XTASK_BOOT_PORT    TCP port on all addresses (container); none when 0
#   XTASK_BOOT_ADDRESS address to listen on, instead of all
#   XTASK_BOOT_SERVER  the binary; mariadbd or mysqld, whichever there is
#   XTASK_BOOT_PREFIX  where the package was unpacked, when not at /usr
#   XTASK_BOOT_CACHE   a directory in which a bootstrapped data directory is kept
#                      for the next time; none when empty
#   XTASK_BOOT_SCRATCH a name beside it, to write it under first
#
# Never run by hand: started by scripts/lease.sh alone, and that by xtask.py
# alone. Whoever starts a server in another way has nothing that ends it.
set -euo pipefail

umask 077
server='' flavour='' share='' tables='' kept='' flags=() # set by the functions that look for them
rights=${XTASK_RIGHTS:-database}
directory=${XTASK_BOOT_DIR:-/var/lib/mysql}

say() {
  printf 'boot-server: %s\n' "$*" >&2 || true
}

fail() {
  say "error: $*"
  exit 1
}

find_server() {
  server=${XTASK_BOOT_SERVER:-}
  [[ -n $server ]] || server=$(command -v mariadbd || command -v mysqld) ||
    fail "neither mariadbd nor mysqld is in PATH"
  case ${server##*/} in
    mariadbd) flavour=mariadb ;;
    *) flavour=mysql ;;
  esac
}

# MariaDB: the directory with the SQL text of the system tables, and its names
# (mysql_… up to 10.11, mariadb_… since).
find_system_tables() {
  local prefix name
  for prefix in "${XTASK_BOOT_PREFIX:-/usr}" "${server%/*/*}" /usr; do
    for name in mariadb mysql; do
      share=$prefix/share/$name
      for tables in "$share"/{mariadb,mysql}_system_tables; do
        [[ -r $tables.sql && -r ${tables}_data.sql ]] && return
      done
    done
  done
  fail "no system tables (mysql_system_tables.sql) beside $server"
}

# What both steps need. Durability is switched off, for the data are thrown
# away, and thousands of tables stay open, for the catalogue is read from them
# more than once. sql_mode, character set and collation are those of a real
# server, for they decide what a migration means: MariaDB before 11.6 is
# compiled for latin1, and every package and image configures it to utf8mb4.
choose_flags() {
  flags=(--no-defaults --datadir="$directory/data" --tmpdir="$directory/tmp"
    --skip-log-bin --performance-schema=OFF --skip-symbolic-links
    --innodb-buffer-pool-size=32M --innodb-flush-log-at-trx-commit=0
    --innodb-doublewrite=0 --innodb-use-native-aio=0
    --table-open-cache=8192 --table-definition-cache=8192)
  if [[ $EUID -eq 0 ]]; then
    flags+=(--user=root) # the server refuses to run as root unless told so
  fi
  if [[ $flavour == mysql ]]; then
    flags+=(--innodb-redo-log-capacity=64M) # with less it waits for itself
  else
    find_system_tables
    flags+=(--innodb-log-file-size=8M --innodb-undo-tablespaces=0 --lc-messages-dir="$share"
      --character-sets-dir="$share/charsets" --character-set-server=utf8mb4)
  fi
}

# Sets `kept`: where the data directory that this very binary makes with these
# very files is kept, between bootstrap and start: nobody's password is in it.
choose_kept() {
  local facts
  kept=
  [[ -n ${XTASK_BOOT_CACHE:-} && $flavour == mariadb ]] || return 0
  # GNU's stat, or BSD's: name, inode, size, time of the last change.
  facts=$(stat -Lc '%n %i %s %y' "$server" "$tables.sql" "${tables}_data.sql" "$0" 2>/dev/null ||
    stat -Lf '%N %i %z %Fm' "$server" "$tables.sql" "${tables}_data.sql" "$0" 2>/dev/null) || return 0
  facts=$(printf '%s' "$facts" | cksum)
  kept=$XTASK_BOOT_CACHE/empty-${facts// /-}.tar
}

# A shorter way to what `bootstrap` makes, which is gone when it fails half-way.
# tar takes a file of zeros, as a crash may leave it, for an empty archive.
unpack_kept() {
  [[ -n $kept && -r $kept ]] || return 1
  tar -xof "$kept" -C "$directory" && [[ -d $directory/data/mysql && -s $directory/data/ibdata1 ]] && return
  say "$kept cannot be unpacked: made anew"
  rm -rf "$directory/data"
  return 1
}

# For the next time: whole or not at all, and no error where it cannot be.
keep() {
  local file
  [[ -n $kept ]] || return 0
  for file in "$directory"/data/ib*; do
    fallocate --dig-holes "$file" || true # nine tenths are zeros; Linux has this tool
  done 2>/dev/null
  set -- "$XTASK_BOOT_SCRATCH" -C "$directory" data
  {
    (umask 022 && mkdir -p "$XTASK_BOOT_CACHE") && { tar -cSf "$@" || tar -cf "$@"; } &&
      rm -f "$XTASK_BOOT_CACHE"/empty-*.tar && mv -f "$XTASK_BOOT_SCRATCH" "$kept"
  } 2>/dev/null || rm -f "$XTASK_BOOT_SCRATCH" || true
}

# A half-made data directory starts up and fails later, in odd ways: fail here.
bootstrap() {
  # Not -p: a directory that a teardown has just moved away is not to come back.
  mkdir "$directory/tmp" "$directory/files" "$directory/plugins" ||
    fail "cannot write to $directory"
  choose_kept
  unpack_kept && return
  mkdir "$directory/data" || fail "cannot write to $directory"
  if [[ $flavour == mysql ]]; then
    "$server" "${flags[@]}" --initialize-insecure </dev/null ||
      fail "mysqld --initialize-insecure failed"
    return
  fi
  mkdir "$directory/data/mysql"
  # The passwordless root that these files make is never to be met.
  {
    echo 'use mysql;'
    cat "$tables.sql" "${tables}_data.sql"
    echo "delete from global_priv where User = 'root';"
    echo 'delete from proxies_priv;'
  } | "$server" "${flags[@]}" --bootstrap --skip-grant-tables ||
    fail "mariadbd --bootstrap failed"
  keep
}

# Runs inside the server before it takes a connection; one statement a line, as
# older MySQL wants it. "_" in a granted name is a wildcard unless escaped.
write_init_file() {
  local pattern=${XTASK_LEASE//_/\\_}
  (
    umask 077
    {
      [[ $flavour == mariadb ]] || echo "DROP USER 'root'@'localhost';"
      echo "CREATE DATABASE \`$XTASK_LEASE\`;"
      echo "CREATE USER '$XTASK_LEASE'@'%' IDENTIFIED BY '$XTASK_PASSWORD';"
      if [[ $rights == all ]]; then
        echo "GRANT ALL PRIVILEGES ON *.* TO '$XTASK_LEASE'@'%' WITH GRANT OPTION;"
      else
        echo "GRANT ALL PRIVILEGES ON \`$pattern\`.* TO '$XTASK_LEASE'@'%';"
        echo "GRANT ALL PRIVILEGES ON \`$pattern\\_%\`.* TO '$XTASK_LEASE'@'%';"
      fi
    } >"$directory/init.sql"
  )
}

start() {
  local port=${XTASK_BOOT_PORT:-3306}
  write_init_file
  flags+=(--socket="$directory/s" --pid-file="$directory/pid"
    --secure-file-priv="$directory/files"
    --skip-name-resolve --local-infile=0 --init-file="$directory/init.sql")
  if [[ $flavour == mysql ]]; then
    flags+=(--mysqlx=OFF)
  else
    flags+=(--plugin-dir="$directory/plugins") # MySQL keeps parts of itself there
    # Since 11.4 the server makes itself an RSA key, which takes 0.2 to 1.2 s.
    # xtask.py does without; `all` is for clients of any kind, and some insist.
    [[ $rights == all ]] || flags+=(--skip-ssl)
  fi
  if [[ $port == 0 ]]; then
    flags+=(--skip-networking)
  else
    flags+=(--port="$port" ${XTASK_BOOT_ADDRESS:+--bind-address="$XTASK_BOOT_ADDRESS"})
  fi
  # exec: whoever knows this process knows the server.
  exec "$server" "${flags[@]}" </dev/null
}

main() {
  local step=${1:-}
  # Both end up inside SQL text.
  [[ ${XTASK_LEASE:-} =~ ^[a-z0-9][a-z0-9_]*$ ]] || fail "XTASK_LEASE is no lease id"
  [[ ${XTASK_PASSWORD:-} =~ ^[A-Za-z0-9]+$ ]] || fail "XTASK_PASSWORD is missing or not alphanumeric"
  find_server
  choose_flags
  say "${step:-bootstrap and start} with $server"
  [[ $step == start ]] || bootstrap
  [[ $step == bootstrap ]] || start
}

main "$@"

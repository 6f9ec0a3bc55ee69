# shellcheck shell=bash
# shellcheck disable=SC2154 # here, directory, lease, engine: set by lease.sh, which sources this
# shellcheck disable=SC2153 # SEEN_START: set by look_at of lease.sh
# The docker engine: docker-compose.mariadb.yml under a project name of the
# lease's own. Sourced by scripts/lease.sh, which alone may start and tear down
# a server; nothing here may be called from elsewhere.

PORT='' # set by find_port
compose_file=${here%/*}/docker-compose.mariadb.yml

# Run a command, killed when it takes longer: a docker daemon that hangs never
# says so. (macOS has no timeout(1), and Go's programs ignore SIGALRM.) Its
# watcher reads a pipe from this shell, so it wakes at the end of whichever comes
# first: the time, the command, or this shell by kill -9. It is never killed
# itself: a subshell that is hit before it has reset its traps runs this shell's.
bounded() { # SECONDS COMMAND…
  local limit=$1 command started status=0
  shift
  "$@" </dev/null 9>&- &
  command=$!
  look_at "$command" || true
  started=$SEEN_START
  exec 8> >(
    exec >/dev/null 2>&1 9>&-
    trap - EXIT
    read -r -t "$limit" _ || true
    ! alive "$command" "$started" || kill -s KILL "$command"
  )
  { wait "$command" || status=$?; } 2>/dev/null # bash's own words about a killed job
  exec 8>&-
  return "$status"
}

# --- hold --------------------------------------------------------------------

ensure_image() {
  local answer image=${XTASK_MARIADB_IMAGE:=mariadb:11.8} seconds=${XTASK_PULL_SECONDS:-600}
  export XTASK_MARIADB_IMAGE
  bounded 10 docker image inspect "$image" >/dev/null 2>"$directory/answer" && return
  if ! grep -qi 'no such image' "$directory/answer"; then
    answer=$(tail -n 1 "$directory/answer")
    give_up 3 "docker cannot be used: ${answer:-its daemon does not answer}"
  fi
  note "pulling $image"
  bounded "$seconds" become_recorded docker pull --quiet "$image" \
    >>"$directory/server.log" 2>"$directory/answer" && return
  answer=$(tail -n 1 "$directory/answer")
  give_up 3 "cannot pull the image $image (${answer:-not done within $seconds s}); set XTASK_MARIADB_IMAGE to one that is here, or make one with scripts/build-image.sh"
}

# In the foreground with --rm, not detached: the log is whole even of a
# container that dies at once, and whoever ends, the other one ends too. The
# engine itself removes such a container, also after its lifetime and with
# nobody here.
run_container() {
  local rest=${XTASK_OWNER#* } compose=("$XTASK_COMPOSE")
  [[ $XTASK_COMPOSE != "docker compose" ]] || compose=(docker compose)
  XTASK_BOOT=$(<"$here/boot-server.sh")
  XTASK_OWNER_PID=${XTASK_OWNER%% *} XTASK_OWNER_START=${rest%% *}
  rest=${rest#* }
  XTASK_OWNER_BOOT=${rest%% *} XTASK_OWNER_NAMESPACE=${rest#* }
  XTASK_HEALTH_INTERVAL=1h # nobody here reads it, and each check costs
  export XTASK_BOOT XTASK_HEALTH_INTERVAL
  export XTASK_OWNER_PID XTASK_OWNER_START XTASK_OWNER_BOOT XTASK_OWNER_NAMESPACE
  # The project's own .env must not speak here.
  become_recorded "${compose[@]}" --project-name "${lease//_/-}" --env-file /dev/null \
    --file "$compose_file" run --rm --no-TTY --interactive=false --service-ports mariadb \
    </dev/null >>"$directory/server.log" 2>&1
}

# Sets PORT, as soon as the engine has chosen it.
find_port() { # PID of the client
  local found
  while kill -0 "$1" 2>/dev/null; do
    found=$(bounded 10 docker ps --no-trunc --filter "label=xtask.lease=$lease" --format '{{.ID}} {{.Ports}}') || true
    if [[ $found == *127.0.0.1:*'->3306/tcp'* ]]; then
      printf '%s\n' "${found%% *}" >"$directory/container"
      PORT=${found#*127.0.0.1:}
      PORT=${PORT%%-*}
      return
    fi
    sleep 0.02
  done
  return 1
}

work_docker() {
  local client status=0
  command -v docker >/dev/null || give_up 3 "there is no docker command in PATH"
  [[ -n ${XTASK_COMPOSE:-} ]] || give_up 3 "XTASK_COMPOSE does not say how to call Docker Compose"
  ensure_image
  : >"$directory/creating"
  run_container &
  client=$!
  if find_port "$client"; then
    say "{\"engine\":\"docker\",\"host\":\"127.0.0.1\",\"port\":$PORT,\"directory\":\"$(json "$directory")\"}"
  fi
  wait "$client" 2>/dev/null || status=$?
  # The first word of boot-server.sh: without it no container came to be.
  grep -qs '^boot-server: ' "$directory/server.log" ||
    give_up 3 "Docker Compose could not start a container (exit status $status)"
  give_up 1 "the database container ended on its own, with exit status $status"
}

# --- teardown and sweep ------------------------------------------------------

remove_containers() { # LEASE [DIRECTORY]
  local ids calm=0 patience=1 label=label=xtask.lease=$1 end=$((SECONDS + 60))
  [[ -z ${2:-} || -e $2/creating ]] || return 0
  # Its client was killed while creating it: the daemon may still be at it.
  if [[ -e ${2:-}/creating && ! -e ${2:-}/container ]]; then
    patience=12
  fi
  while ((SECONDS < end)); do
    ids=$(bounded 10 docker ps --all --quiet --no-trunc --filter "$label" 2>/dev/null) || return 1
    if [[ -n $ids ]]; then
      # shellcheck disable=SC2086 # one word an id
      bounded 20 docker rm --force --volumes $ids >/dev/null 2>&1 || true
      calm=0
    elif ((++calm >= patience)); then
      return 0
    else
      sleep 0.1
    fi
  done
  log "containers of $1 did not go"
  return 1
}

# Owners elsewhere (the engine may be another machine's) are none of ours.
sweep_containers() {
  local container pid start boot namespace seen=' ' status=0
  if [[ -n $lease ]]; then
    remove_containers "$lease"
    return
  fi
  while IFS='|' read -r container pid start boot namespace; do
    [[ -n $container && $seen != *" $container "* ]] || continue
    seen+="$container "
    surely_dead remote "$pid" "$start" "$boot" "$namespace" || continue
    teardown docker "$container" '' || { status=1; continue; }
    note "removed the container that lease $container left"
  done < <(bounded 3 docker ps --all --filter label=xtask.lease --format \
    '{{.Label "xtask.lease"}}|{{.Label "xtask.owner-pid"}}|{{.Label "xtask.owner-start"}}|{{.Label "xtask.boot"}}|{{.Label "xtask.pidns"}}' 2>/dev/null)
  return "$status"
}

# shellcheck shell=bash
# What the parts of `./dev demo` share: a place to work in, and one server that goes when they end.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
export LC_ALL=C.UTF-8

program=$PWD/build/release/cli/bahi
work=$(mktemp -d "${TMPDIR:-/tmp}/bahi-demo.XXXXXX")
server_pid=
clean_up() {
  [ -z "$server_pid" ] || kill -9 "$server_pid" 2>/dev/null || true
  rm -rf "$work"
}
trap clean_up EXIT

tell() { printf '\n%s\n' "$*"; }
fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

# serve OPTIONS…: false when the server ends instead of getting ready.
serve() {
  : >"$work/ready"
  "$program" serve --data "$work/store" "$@" >"$work/ready" 2>>"$work/server.log" &
  server_pid=$!
  disown "$server_pid"
  until grep -q '^ready' "$work/ready"; do
    kill -0 "$server_pid" 2>/dev/null || return 1
    sleep 0.05
  done
  BAHI_SERVER=$(sed -n 's/^ready on //p' "$work/ready")
  export BAHI_SERVER
}
# Lets it answer what is in flight and close the store.
stop() {
  kill -TERM "$server_pid"
  while kill -0 "$server_pid" 2>/dev/null; do sleep 0.02; done
  server_pid=
}
no_server() { fail "The server did not start: $(cat "$work/server.log")"; }

#!/usr/bin/env bash
# What `./dev demo` shows: a made-up history goes in, and comes out again by stream, tag and offset.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
export LC_ALL=C.UTF-8

work=$(mktemp -d "${TMPDIR:-/tmp}/bahi-demo.XXXXXX")
trap 'rm -rf "$work"' EXIT
store=$work/store

tell() { printf '\n%s\n' "$*"; }
# Shows a command as a user would type it (the store is given by --data), then runs it.
bahi() {
  local argument shown='  $ bahi'
  for argument in "$@"; do
    [[ $argument =~ ^[A-Za-z0-9_./:=-]+$ ]] || argument="'$argument'"
    shown+=" $argument"
  done
  printf '%s\n' "$shown"
  build/release/cli/bahi --data "$store" "$@"
}
indent() { sed 's/^/    /'; }

tell "A pharmacy's chat and orders: 100,000 events, made by examples/generate_history.awk."
awk -v events=100000 -f examples/generate_history.awk >"$work/history.ndjson"
head -n 1 "$work/history.ndjson" | indent

tell "Each shop is a tenant with a log of its own. Create one, and import the history."
bahi tenant create shop | indent
bahi import --tenant shop "$work/history.ndjson" | indent

tell "Import it again: every batch is known already, so nothing is added."
bahi import --tenant shop "$work/history.ndjson" | indent
bahi tenant list | indent

tell "Read one order: its stream, oldest event first."
bahi read --tenant shop --stream order-17 | indent

tell "Read by tag: the last three events of one customer, newest first."
bahi read --tenant shop --tag customer:42 --backward --limit 3 | indent

tell "Replay the log from an offset."
bahi read --tenant shop --from 99998 | indent

version=$(build/release/cli/bahi --data "$store" read --tenant shop --stream order-17 --backward --limit 1 | jq .version)
tell "Append under a condition: the order must still be at version 0. It is at $version, so this is a conflict."
if bahi append --tenant shop --stream order-17 --type NoteAdded --data '{"note":"call back"}' --expect 0 2>&1 | indent; then
  echo "The append went through, but it must not." >&2
  exit 1
fi

tell "Read again, decide again, append again: at version $version it goes through."
bahi append --tenant shop --stream order-17 --type NoteAdded --data '{"note":"call back"}' --expect "$version" | indent

tell "Walk every byte of the log: checksums, chain, offsets, versions, index, anchor."
bahi verify | indent

tell "The index is derived: throw it away, build it anew from the log."
bahi index rebuild | indent

tell "What the store holds."
bahi stats | indent

tell "That was the store in a directory."

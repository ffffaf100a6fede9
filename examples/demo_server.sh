#!/usr/bin/env bash
# The second part of `./dev demo`: writers and a follower over TCP, and a server that is killed in the middle.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
export LC_ALL=C.UTF-8

readonly writers=4 events=50000
program=$PWD/build/release/cli/bahi
work=$(mktemp -d "${TMPDIR:-/tmp}/bahi-demo.XXXXXX")
server_pid=
follower_pid=
clean_up() {
  [ -z "$follower_pid" ] || kill "$follower_pid" 2>/dev/null || true
  [ -z "$server_pid" ] || kill -9 "$server_pid" 2>/dev/null || true
  rm -rf "$work"
}
trap clean_up EXIT

tell() { printf '\n%s\n' "$*"; }
fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

# serve ADDRESS: returns when the server is ready.
serve() {
  : >"$work/ready"
  "$program" serve --data "$work/store" --listen "$1" >"$work/ready" 2>>"$work/server.log" &
  server_pid=$!
  disown "$server_pid"
  until grep -q '^ready' "$work/ready"; do
    kill -0 "$server_pid" 2>/dev/null || fail "The server did not start: $(cat "$work/server.log")"
    sleep 0.05
  done
}

tell "A server on an empty store, on a free port of 127.0.0.1."
serve 127.0.0.1:0
address=$(sed -n 's/^ready on //p' "$work/ready")
export BAHI_SERVER=$address
"$program" tenant create shop
"$program" ping

tell "$writers writers append $events events each, over connections of their own; a follower prints what becomes durable."
"$program" read --tenant shop --follow >"$work/followed.ndjson" &
follower_pid=$!
writer_pids=()
for writer in $(seq "$writers"); do
  awk -v writer="$writer" -v events="$events" 'BEGIN { for (n = 0; n < events; n++)
    printf "{\"stream\":\"till%d-%d\",\"type\":\"Sold\",\"data\":{\"writer\":%d,\"n\":%d,\"amount_paise\":%d}}\n",
      writer, n % 100, writer, n, 100 + n % 9000 }' >"$work/writer-$writer.ndjson"
  "$program" import --tenant shop --batch-events 25 "$work/writer-$writer.ndjson" >"$work/writer-$writer.out" 2>&1 &
  writer_pids+=($!)
done

# In the middle: a part is there, and the writers are at work.
until [ "$(wc -l <"$work/followed.ndjson")" -ge $((writers * events / 4)) ]; do
  kill -0 "${writer_pids[0]}" 2>/dev/null || break
  sleep 0.02
done
kill -9 "$server_pid"
tell "The server was killed with kill -9 when the follower had $(wc -l <"$work/followed.ndjson") events. It starts again, on the same port."
serve "$address"

for writer in $(seq "$writers"); do
  wait "${writer_pids[$((writer - 1))]}" || fail "Writer $writer failed: $(cat "$work/writer-$writer.out")"
  printf '    writer %d: %s\n' "$writer" "$(cat "$work/writer-$writer.out")"
done

total=$((writers * events))
until [ "$(wc -l <"$work/followed.ndjson")" -ge "$total" ]; do sleep 0.05; done
tell "Every append was acknowledged. What is in the log now?"
"$program" read --tenant shop >"$work/log.ndjson"
in_log=$(wc -l <"$work/log.ndjson")
distinct=$(jq -r '"\(.data.writer) \(.data.n)"' "$work/log.ndjson" | sort -u | wc -l)
printf '    %d events appended and acknowledged, %d in the log, %d different ones\n' "$total" "$in_log" "$distinct"
[ "$in_log" -eq "$total" ] || fail "Events are missing, or there twice."
[ "$distinct" -eq "$total" ] || fail "Events are there twice."
[ "$(jq .offset "$work/followed.ndjson" | awk '$1 != NR - 1' | wc -l)" -eq 0 ] || fail "The follower missed or repeated an event."
cmp "$work/followed.ndjson" "$work/log.ndjson" || fail "The follower saw something else than what is in the log."
printf '    the follower saw the same %d events, in the same order, each once\n' "$(wc -l <"$work/followed.ndjson")"
"$program" verify

tell "SIGTERM: the server answers what is in flight and closes the store."
kill -TERM "$server_pid"
while kill -0 "$server_pid" 2>/dev/null; do sleep 0.02; done
tail -n 2 "$work/server.log"

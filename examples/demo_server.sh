#!/usr/bin/env bash
# The second part of `./dev demo`: writers and a follower over TCP, and a server that is killed in the middle.
# shellcheck source=examples/demo_common.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/demo_common.sh"

readonly writers=4 events=50000
follower_pid=
clean_up_all() {
  [ -z "$follower_pid" ] || kill "$follower_pid" 2>/dev/null || true
  clean_up
}
trap clean_up_all EXIT

tell "A server on an empty store, on a free port of 127.0.0.1."
serve --listen 127.0.0.1:0 || no_server
address=$BAHI_SERVER
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
serve --listen "$address" || no_server

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
stop
tail -n 2 "$work/server.log"

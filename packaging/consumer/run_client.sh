#!/bin/sh
# run_client.sh BAHI CLIENT DIRECTORY: runs the client against a server on a new store in the directory.
set -eu
"$1" --data "$3" tenant create shop
"$1" --data "$3" serve --listen 127.0.0.1:0 >"$3.ready" 2>"$3.log" &
server=$!
trap 'kill "$server"; wait "$server" || true' EXIT
while ! grep -q '^ready on ' "$3.ready"; do
  kill -0 "$server" || { cat "$3.log"; exit 1; }
  sleep 0.1
done
address=$(sed -n 's/^ready on //p' "$3.ready")
"$2" "${address%:*}" "${address##*:}" shop

#!/usr/bin/env bash
# The last part of `./dev demo`: an auditor who trusts neither the server nor the disk.
# shellcheck source=examples/demo_common.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/demo_common.sh"

bahi() { "$program" "$@" --tenant shop; }
verify() { "$program" audit verify "$@" --key "$work/auditor.pub"; }
sales() { # FROM TO
  awk -v from="$1" -v to="$2" 'BEGIN { for (n = from; n < to; n++)
    printf "{\"stream\":\"till-1\",\"type\":\"Sold\",\"data\":{\"receipt\":%d,\"amount_paise\":%d}}\n", n, 100 + n % 9000 }'
}
serve_signed() { serve --listen 127.0.0.1:0 --checkpoint-key "$work/checkpoint.key" --witness-dir "$work/witness"; }

tell "A server that signs what it holds; the auditor gets the public key:"
"$program" key generate --out "$work/checkpoint.key" --name demo >"$work/auditor.pub" 2>/dev/null
sed 's/^/  /' "$work/auditor.pub"
"$program" --data "$work/store" tenant create shop >"$work/out"
cp -r "$work/store" "$work/forged"
serve_signed || no_server
sales 0 1000 | bahi import - >"$work/out"

tell "Receipts 400 to 499 in one file, with their proof. It is verified without the server, and the checkpoint is kept:"
bahi audit export --from 400 --to 500 --out "$work/receipts.bundle" | sed "s|$work/||; s/^/  /"
verify "$work/receipts.bundle" --save-checkpoint "$work/kept.checkpoint" | sed 's/^/  /'

tell "One bit of receipt 444 is flipped:"
place=$(grep -abo '"receipt":444' "$work/receipts.bundle" | head -n 1 | cut -d : -f 1)
cp "$work/receipts.bundle" "$work/forged.bundle"
printf '5' | dd of="$work/forged.bundle" bs=1 seek=$((place + 12)) conv=notrunc status=none
if verify "$work/forged.bundle" 2>"$work/refusal"; then fail "A forged receipt was accepted."; fi
head -n 1 "$work/refusal" | sed 's/^/  /'
grep -q 'event at offset 444 does not match' "$work/refusal" || fail "It did not say which event was altered."

tell "Later, with more receipts: nothing of what the auditor saw then has changed since."
sales 1000 1500 | bahi import - >"$work/out"
bahi audit export --stream till-1 --previous "$work/kept.checkpoint" --out "$work/all.bundle" >"$work/out"
verify "$work/all.bundle" --previous "$work/kept.checkpoint" | sed 's/^/  /'

tell "Somebody with access to the disk puts another history in place of the log; the witness knows better:"
stop
unset BAHI_SERVER
sales 0 1500 | sed 's/"receipt":777,"amount_paise":[0-9]*/"receipt":777,"amount_paise":1/' |
  "$program" --data "$work/forged" import --tenant shop - >"$work/out"
rm -r "$work/store"
mv "$work/forged" "$work/store"
if serve_signed; then fail "A forged log was served."; fi
server_pid=
sed -n 's/^bahi: \(.*\); what was signed.*/  \1/p' "$work/server.log" | head -n 1
grep -q 'history_changed' "$work/server.log" || fail "It was refused for another reason: $(cat "$work/server.log")"

tell "That was Bahi. README.md says how it works; the program is build/release/cli/bahi."

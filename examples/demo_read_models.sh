#!/usr/bin/env bash
# The third part of `./dev demo`: read models that are asked and decide, over TCP.
# shellcheck source=examples/demo_common.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/demo_common.sh"

bahi() { "$program" "$@" --tenant shop; }

serve --listen 127.0.0.1:0 || no_server
"$program" tenant create shop >"$work/out"
bahi projection start stock >"$work/out"
bahi projection start timelines >"$work/out"
bahi projection start audit >"$work/out"
bahi projection start payments >"$work/out"

tell "A shop: rice in two batches, the older one expires first. A sale of 12 takes the older batch first; what it cost leaves the ledger."
bahi append --stream item-rice --type stock.ItemDefined --tag stock:rice --data '{"item":"rice","name":"Basmati rice","unit":"kg"}' >"$work/out"
bahi command stock receive item=rice batch=january location=main quantity=10 cost_paise=100000 expires_on=2099-01-31 >"$work/out"
bahi command stock receive item=rice batch=march location=main quantity=20 cost_paise=240000 expires_on=2099-03-31 >"$work/out"
bahi command stock sell sale=s1 location=main 'lines=[{"item":"rice","quantity":12,"price_paise":15000}]' >"$work/out"
end=$(($(jq '.events[-1].offset' "$work/out") + 1))
bahi stock ledger item=rice location=main --min-offset "$end" --json |
  jq '{rows: [.rows[] | {offset, kind, batch, quantity, paise, balance_quantity, balance_paise}]}' >"$work/ledger.json"
bahi stock ledger item=rice location=main --min-offset "$end" --table
[ "$(jq -c '[.rows[-1].balance_quantity, .rows[-1].balance_paise]' "$work/ledger.json")" = '[18,216000]' ] ||
  fail "The ledger does not end at 18 kg worth 2,160.00 rupees."

tell "A sale of 50 is refused, and nothing is stored:"
if bahi command stock sell sale=s2 location=main 'lines=[{"item":"rice","quantity":50}]' 2>"$work/refusal"; then
  fail "More was sold than there was."
fi
sed 's/^/  /' "$work/refusal"

tell "The stock as it was before the sale, and what has changed since, event by event:"
before=$((end - 1))
bahi stock availability item=rice date=2026-01-01 --at-offset "$before" --json >"$work/past.json"
jq -r '"  then: \(.total.on_hand) kg on hand"' "$work/past.json"
[ "$(jq .total.on_hand "$work/past.json")" = 30 ] || fail "There were 30 kg before the sale."
bahi diff stock availability item=rice date=2026-01-01 --from-offset "$before" --to-offset "$end" --json >"$work/diff.ndjson"
jq -r '"  " + (if .event then "offset \(.event.offset), \(.event.type)" else "all in all" end) + ": " +
  ([.changes[] | select(.path == "/total/on_hand") | "on hand \(.before) → \(.after)"] | join(", "))' "$work/diff.ndjson"
[ "$(jq -s '.[-1].changes[] | select(.path == "/total/on_hand") | .after' "$work/diff.ndjson")" = 18 ] ||
  fail "The difference does not end at 18 kg."

tell "A conversation, and what is unread in it:"
send() { bahi append --stream "conversation-tea" --type "chat.$1" --data "$2" "${@:3}" >"$work/out"; }
send ConversationCreated '{"conversation":"tea","kind":"group","title":"Tea at four"}'
for user in asha ravi; do
  send MemberJoined "{\"conversation\":\"tea\",\"user\":\"$user\"}" --tag conversation:tea --tag "user:$user"
done
bahi command timelines send conversation=tea sender=asha message=m1 text='Is the rice here?' >"$work/out"
bahi command timelines send conversation=tea sender=ravi message=m2 text='Yes, @asha: 18 kg are left.' 'mentions=["asha"]' >"$work/out"
end=$(($(jq '.events[-1].offset' "$work/out") + 1))
bahi timeline page conversation=tea direction=forward --min-offset "$end" --json |
  jq -r '.messages[] | "  \(.sender): \(.text)"'
bahi timeline conversations user=asha --min-offset "$end" --json |
  jq -r '.conversations[] | "  asha has \(.unread) unread message and \(.mentions) mention in \(.title)"'

tell "The story of one correlation id, from the audit trail: what happened to order 17, over all streams, and who did it:"
part() { # STREAM TYPE ACTOR DATA OPTIONS…
  bahi append --stream "$1" --type "$2" --actor "$3" --data "$4" --correlation-id order-17 "${@:5}" >"$work/out"
}
part order-17 order.Placed meera '{"note":"चावल for Saturday"}' --reason "phone call of the customer"
part audit-17 audit.Recorded asha '{"action":"discount.granted","target_type":"order","target_id":"17","outcome":"done",
  "changes":[{"field":"total","old":"1,250.00","new":"1,100.00"}]}' --reason "regular customer"
part conversation-tea chat.MessageSent ravi '{"conversation":"tea","message":"m3","sender":"ravi","text":"My card ends in 4711"}'
part conversation-tea chat.MessageRedacted asha '{"conversation":"tea","message":"m3","by":"asha"}' --reason "card number"
end=$(($(jq '.first_offset' "$work/out") + 1))
bahi audit story correlation=order-17 --min-offset "$end" --json >"$work/story.json"
jq -r '.records[] | "  \(.actor): \(.action) (\(.target_type) \(.target_id))" +
  (if .reason then ", because of: \(.reason)" else "" end) +
  ([.changes[]? | select(.redacted | not) | "; \(.field) was \(.old // "nothing"), is \(.new // "nothing")"] | join("")) +
  (if .redacted_by then "; its content was redacted" else "" end)' "$work/story.json"
[ "$(jq '.records | length' "$work/story.json")" = 4 ] || fail "The story has four parts."
bahi audit records text=चावल --json | jq -e '.records | length == 1' >"$work/out" || fail "The rice is not found."
bahi audit records text=4711 --json | jq -e '.records | length == 0' >"$work/out" || fail "What was redacted is found."
printf '  A search for चावल finds the order; a search for 4711, which was redacted, finds nothing.\n'
tell "A payment whose refund went wrong: the bank said yes, and days later sent the money back."
pay() { bahi append --stream "payment-p1" --type "payment.$1" --data "$2" --tag order:o1 --tag payment:p1 >"$work/out"; }
pay OrderPlaced '{"order":"o1","amount_paise":30000000}'
pay Authorised '{"payment":"p1","order":"o1","amount_paise":30000000}'
bahi command payments capture payment=p1 >"$work/out"
bahi command payments refund payment=p1 refund=r1 amount_paise=30000000 reason='Sent back' >"$work/out"
look() {
  local end
  end=$(($(jq '.first_offset // .events[-1].offset' "$work/out") + 1))
  bahi payment payment payment=p1 --min-offset "$end" --json >"$work/payment.json"
  jq -r --arg when "$1" 'def rupees: "₹" + (. / 100 | tostring);
    "  \($when): \(.captured_paise | rupees) captured, \(.refunded_paise | rupees) refunded, \(.refunding_paise | rupees) on its way back: the payment is \(.state | gsub("_"; " "))."' "$work/payment.json"
}
look "The refund was asked for"
pay RefundSucceeded '{"refund":"r1","payment":"p1","amount_paise":30000000}'
look "The bank says that it succeeded"
pay RefundFailed '{"refund":"r1","payment":"p1","amount_paise":30000000,"reason":"account closed"}'
look "The bank says that it failed after all (account closed)"
[ "$(jq -c '[.state, .refunded_paise, .left_paise]' "$work/payment.json")" = '["captured",0,30000000]' ] ||
  fail "The refunded total did not fall back."
pay RefundSucceeded '{"refund":"r1","payment":"p1","amount_paise":30000000}'
look "An old message comes once more, and changes nothing"
[ "$(jq -r .state "$work/payment.json")" = captured ] || fail "A duplicate changed the payment."
echo "  So the customer is still owed ₹300000, and a new refund may be made."

tell "A chain of pharmacies, made up by 'bahi workload': what its shelves hold, and what goes first."
chain() { "$program" "$@" --tenant chain; }
"$program" tenant create chain >"$work/out"
chain projection start stock >"$work/out"
chain workload pharmacy --events 20000 --shops 5 --items 100 | sed 's/^/  /'
chain stock valuation --min-offset 20000 --json | jq -r '"  What lies there cost ₹\(.total_paise / 100)."'
chain stock availability expiring_before=2026-03-01 date=2026-01-10 --json |
  jq -r '[.batches[] | select(.on_hand > 0)][:3][] | "  \(.on_hand) of \(.item) at \(.location) expire on \(.expires_on)"'

tell "How far the read models are:"
bahi projection list --table

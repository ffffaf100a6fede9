# A history to try Bahi on: the chat and the orders of a small pharmacy, as NDJSON for `bahi import`.
#
#   awk -v events=100000 -f examples/generate_history.awk > history.ndjson
#
# The same number of events always gives the same bytes; plain awk, no extension is needed.

BEGIN {
  if (!events) events = 100000
  seed = 20260105
  people = split("asha ravi meera imran lakshmi joseph farah vikram divya arjun noor sanjay", person, " ")
  rooms = split("counter storeroom deliveries accounts night-shift", room, " ")
  items = split("PARA650:2450 AMOX500:8900 CETZ10:1800 ORS21:2150 INSG10:142500 METF500:3600 VITD60K:12800 OMEZ20:5400", item, " ")
  phrases = split("Customer is waiting for the refill|Please check the cold chain log|Stock of %s is low|Moved two boxes of %s to the front|Who has the key of the %s shelf?|The supplier sent %s in the wrong pack|Prescription for %s is unclear, calling the doctor|Delivery left at ten past four|Counted %s twice, both times the same|कृपया %s का स्टॉक देखें|%s is back|Thank you!", phrase, "|")
  reasons = split("damaged in transit|wrong strength|changed by doctor|delivered late", reason, "|")
  second = 0
  orders = 0
  for (r = 1; r <= rooms; ++r) {
    create_room(r)
  }
  while (made < events) {
    second += below(140)
    if (below(100) < 55) {
      chat()
    } else {
      shop()
    }
  }
}

# Park and Miller's generator: exact in awk's doubles.
function below(limit) {
  seed = (seed * 16807) % 2147483647
  return seed % limit
}

function two(n) { return n < 10 ? "0" n : "" n }

# Seconds since 2026-01-05T08:00:00Z as RFC 3339.
function at(seconds,    day, month, year, length_of_month, rest) {
  seconds += 8 * 3600
  day = 5 + int(seconds / 86400)
  month = 1
  year = 2026
  for (;;) {
    length_of_month = month == 2 ? (year % 4 == 0 ? 29 : 28) : (month == 4 || month == 6 || month == 9 || month == 11) ? 30 : 31
    if (day <= length_of_month) break
    day -= length_of_month
    if (++month > 12) {
      month = 1
      ++year
    }
  }
  rest = seconds % 86400
  return year "-" two(month) "-" two(day) "T" two(int(rest / 3600)) ":" two(int(rest / 60) % 60) ":" two(rest % 60) "Z"
}

function emit(stream, type, tags, who, more, data) {
  if (made >= events) return
  ++made
  printf "{\"stream\":\"%s\",\"type\":\"%s\",\"occurred_at\":\"%s\",\"tags\":[%s],\"actor\":\"%s\"%s,\"data\":%s}\n", stream, type, at(second), tags, who, more, data
}

function create_room(r,    p) {
  emit("conversation-" room[r], "ConversationCreated", "\"room:" room[r] "\"", person[1], "", "{\"title\":\"" room[r] "\"}")
  for (p = 1; p <= people; ++p) {
    emit("conversation-" room[r], "MemberJoined", "\"room:" room[r] "\",\"user:" person[p] "\"", person[p], "", "{\"member\":\"" person[p] "\"}")
  }
}

function item_name(text) {
  sub(/:.*/, "", text)
  return text
}

function chat(    r, who, text, tags, number) {
  r = 1 + below(rooms)
  who = person[1 + below(people)]
  tags = "\"room:" room[r] "\",\"user:" who "\""
  number = below(20)
  if (number == 0 && messages[r] > 0) {
    emit("conversation-" room[r], "ReactionAdded", tags, who, "", "{\"message\":" (1 + below(messages[r])) ",\"emoji\":\"\360\237\221\215\"}")
    return
  }
  text = phrase[1 + below(phrases)]
  sub(/%s/, item_name(item[1 + below(items)]), text)
  if (number == 1 && messages[r] > 0) {
    emit("conversation-" room[r], "MessageEdited", tags, who, "", "{\"message\":" (1 + below(messages[r])) ",\"text\":\"" text "\"}")
    return
  }
  emit("conversation-" room[r], "MessageSent", tags, who, "", "{\"message\":" (++messages[r]) ",\"text\":\"" text "\"}")
}

# One step of an open order, or a new order.
function shop(    k, n, parts, who, tags, more, quantity, line_total) {
  if (open < 40 || below(6) == 0) {
    n = ++orders
    split(item[1 + below(items)], parts, ":")
    quantity = 1 + below(5)
    line_total = quantity * parts[2]
    order[++open] = n
    step[n] = 0
    total[n] = line_total
    sold_item[n] = parts[1]
    sold_quantity[n] = quantity
    customer[n] = 1 + below(900)
  }
  k = 1 + below(open)
  n = order[k]
  who = person[1 + below(people)]
  tags = "\"order:" n "\",\"customer:" customer[n] "\""
  more = ",\"correlation_id\":\"order-" n "\""
  if (step[n] == 0) {
    emit("order-" n, "OrderPlaced", tags ",\"item:" sold_item[n] "\"", who, more, "{\"customer\":" customer[n] ",\"item\":\"" sold_item[n] "\",\"quantity\":" sold_quantity[n] ",\"total_paise\":" total[n] "}")
  } else if (step[n] == 1) {
    emit("order-" n, "PaymentAuthorised", tags, "gateway", more, "{\"amount_paise\":" total[n] ",\"method\":\"upi\"}")
  } else if (step[n] == 2) {
    emit("order-" n, "PaymentCaptured", tags, "gateway", more, "{\"amount_paise\":" total[n] "}")
  } else if (step[n] == 3) {
    emit("stock-" sold_item[n], "StockSold", "\"item:" sold_item[n] "\",\"order:" n "\"", who, more, "{\"quantity\":" sold_quantity[n] ",\"order\":" n "}")
  } else if (step[n] == 4) {
    emit("order-" n, "OrderDelivered", tags, who, more, "{\"by\":\"" who "\"}")
    if (below(25) != 0) close_order(k)
  } else {
    emit("order-" n, "RefundSucceeded", tags, who, more ",\"reason\":\"" reason[1 + below(reasons)] "\",\"target\":{\"type\":\"order\",\"id\":\"" n "\"}", "{\"amount_paise\":" total[n] "}")
    close_order(k)
    return
  }
  ++step[n]
}

function close_order(k,    n) {
  n = order[k]
  order[k] = order[open]
  delete order[open--]
  delete total[n]
  delete sold_item[n]
  delete sold_quantity[n]
  delete customer[n]
}

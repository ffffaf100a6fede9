# Maps an export of a chat channel to events. One line of the export:
#   {"channel": "#ubuntu", "at": "2004-11-15T12:18:00Z", "kind": "message", "nick": "asha", "text": "hello"}
#
#   zcat chat.ndjson.gz | jq -c -f examples/chat_export.jq | bahi --data DIR import --tenant chat -
{
  message: "MessageSent",
  join: "MemberJoined",
  leave: "MemberLeft",
  rename: "MemberRenamed"
} as $types
| {
    stream: ("channel-" + (.channel | ltrimstr("#"))),
    type: ($types[.kind] // "NoticeSeen"),
    occurred_at: .at,
    data: ({text, to} | with_entries(select(.value != null)))
  }
  + if (.nick // "") == "" then {} else {actor: .nick, tags: ["nick:" + .nick]} end

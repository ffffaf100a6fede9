# Maps an export of a chat channel to the events of a message timeline. One line of the export:
#   {"channel": "#ubuntu", "at": "2004-11-15T12:18:00Z", "kind": "message", "nick": "asha", "text": "hello"}
#
#   zcat chat.ndjson.gz | jq -c -f examples/chat_export.jq | bahi --data DIR import --tenant chat -
#
# A message is named by its line, so that another import of the same export is the same messages. What has no place in a
# timeline (a changed name, a notice) is kept as an event of another type.
(.channel | ltrimstr("#")) as $conversation
| (.nick // "") as $nick
| ("conversation:" + $conversation) as $tag
| {stream: ("conversation-" + $conversation), occurred_at: .at, tags: [$tag]}
  + (if $nick == "" then {} else {actor: $nick} end)
  + if $nick == "" then {type: "NoticeSeen", data: {text}}
    elif .kind == "message" then
      ("line-\(input_line_number)") as $message
      | {type: "chat.MessageSent", tags: [$tag, "message:" + $message],
         data: {conversation: $conversation, $message, sender: $nick, text: (.text // "")}}
    elif .kind == "join" or .kind == "leave" then
      {type: (if .kind == "join" then "chat.MemberJoined" else "chat.MemberLeft" end), tags: [$tag, "user:" + $nick],
       data: {conversation: $conversation, user: $nick}}
    elif .kind == "rename" then {type: "MemberRenamed", data: {from: $nick, to}}
    else {type: "NoticeSeen", data: {text}} end

#include "error_page.hpp"

#include <fmt/format.h>

namespace bahi::repo {
namespace {

constexpr std::string_view kPreamble = R"(# Errors

Every error that a caller can see has a number that never changes, a name, and one answer to the
question "what should I do now?". A message with the field, file or stream at fault comes with it:

```
unknown_tenant (200): tenant 'shop' does not exist; create it with `bahi tenant create shop`
```

| action | what it means |
|---|---|
| never retry | The same request fails again: change the request, or the setup. |
| retry | The same request may succeed later, unchanged. |
| re-read, then retry | Read what changed (the answer says where), decide again, send a new request. |
| restore the store | An operator is needed: free the disk, repair, reopen, or restore a backup. |

This page is made from `base/include/bahi/base/error.hpp` by `./dev docs`; a test compares the two.
)";

std::string_view section_of(unsigned number) {
  switch (number / 100) {
    case 1: return "Requests";
    case 2: return "Tenants";
    case 3: return "Conflicts";
    case 4: return "Load and time";
    case 5: return "The store";
    case 6: return "Read models";
    case 8: return "Proofs";
    default: return "Bahi itself";
  }
}

}  // namespace

std::string error_page(std::span<const ErrorInfo> catalogue) {
  std::string page(kPreamble);
  std::string_view section;
  for (const ErrorInfo& info : catalogue) {
    const auto number = static_cast<unsigned>(info.code);
    if (section_of(number) != section) {
      section = section_of(number);
      page += fmt::format("\n## {}\n\n| number | name | action | meaning |\n|---|---|---|---|\n", section);
    }
    page += fmt::format("| {} | `{}` | {} | {} |\n", number, info.name, to_string(info.action), info.text);
  }
  return page;
}

}  // namespace bahi::repo

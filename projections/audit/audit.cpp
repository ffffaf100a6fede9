#include "audit/audit.hpp"

#include <unicode/uvernum.h>

#include "audit/fold.hpp"
#include "audit/queries.hpp"

namespace bahi::projections::audit {

Projection projection() {
  Projection audit;
  audit.name = "audit";
  // Another ICU may find other words.
  audit.version = kVersion * 1000 + U_ICU_VERSION_MAJOR_NUM;
  audit.summary = "who did what to what, when and why, with text search";
  audit.make_fold = &AuditFold::make;
  audit.queries = queries();
  audit.takes_malformed = true;
  audit.permanent = true;
  return audit;
}

}  // namespace bahi::projections::audit

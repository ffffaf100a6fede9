// What the stock ledger is asked. README.md has the arguments and answers.
#pragma once

#include "projection.hpp"

namespace bahi::projections::stock {

// --- what is there: availability.cpp
Status list_availability(const QueryContext& context, Arguments& arguments, Answer& answer);
Status plan_picks(const QueryContext& context, Arguments& arguments, Answer& answer);
Status list_valuation(const QueryContext& context, Arguments& arguments, Answer& answer);

// --- what happened: statements.cpp
Status list_ledger(const QueryContext& context, Arguments& arguments, Answer& answer);
Status trace_batch(const QueryContext& context, Arguments& arguments, Answer& answer);
Status find_sale(const QueryContext& context, Arguments& arguments, Answer& answer);
Status balance_as_of_date(const QueryContext& context, Arguments& arguments, Answer& answer);

// --- what is known: records.cpp
Status find_item(const QueryContext& context, Arguments& arguments, Answer& answer);
Status find_batch(const QueryContext& context, Arguments& arguments, Answer& answer);
Status find_reservation(const QueryContext& context, Arguments& arguments, Answer& answer);
Status list_due_reservations(const QueryContext& context, Arguments& arguments, Answer& answer);
Status list_discrepancies(const QueryContext& context, Arguments& arguments, Answer& answer);

}  // namespace bahi::projections::stock

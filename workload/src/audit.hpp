// Administrators at work: each case is a story of a few acts with one correlation id, and changes accounts or settings
// whose values before are known.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "draft.hpp"
#include "pace.hpp"

namespace bahi::workload {

class Audit final : public ActedHistory {
 public:
  explicit Audit(const HistoryOptions& options);

 private:
  struct Account {
    std::uint8_t role = 0;
    std::uint8_t limit = 0;  ///< in steps of 10,000 rupees; 0: none was set
    bool locked = false;
  };
  struct Case {
    std::uint32_t administrator = 0;
    std::uint32_t account = 0;
    std::string correlation;
    std::string_view reason;
    Timestamp at;
    Uuid last;  ///< event that led to the next one
  };

  void act() override;
  void begin_case();
  /// An event without a schema: what the application itself logs.
  void log_in();
  void export_report();
  void change_setting();
  // Acts on the account of the case.
  void look();
  void grant_role();
  void set_limit();
  void lock_or_unlock();
  void be_denied();
  Draft& recorded(std::string_view action, std::string_view outcome);
  Draft& of_case(std::string_view type);
  void change(Draft& draft, std::string_view field, std::string_view before, std::string_view now);
  void describe(Draft& draft);
  const std::string& administrator();
  const std::string& account();

  Pace pace_;
  const std::uint32_t administrators_;
  std::vector<Account> accounts_;
  std::vector<std::uint32_t> settings_;  // values by number
  Case case_;
  std::uint64_t case_count_ = 0;
  // Memory that is used again.
  std::string name_;
  std::string text_;
};

}  // namespace bahi::workload

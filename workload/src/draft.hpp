// One event in the making, and the queue of those that an act has led to.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bahi/schemas/event.hpp"
#include "bahi/workload/history.hpp"
#include "bahi/workload/random.hpp"

namespace bahi::workload {

/// Appends members and elements to a JSON text. The caller sees to it that they nest.
class JsonText {
 public:
  void clear() { text_.clear(); }
  [[nodiscard]] std::string_view view() const { return text_; }

  JsonText& text(std::string_view name, std::string_view value);
  JsonText& text_if(std::string_view name, std::string_view value) { return value.empty() ? *this : text(name, value); }
  JsonText& number(std::string_view name, std::int64_t value);
  JsonText& flag(std::string_view name, bool value);
  JsonText& time(std::string_view name, Timestamp value);
  JsonText& date(std::string_view name, std::int32_t days);
  JsonText& begin_list(std::string_view name);
  JsonText& element(std::string_view value);
  /// Without a name: an element of a list, or the outermost.
  JsonText& begin_object(std::string_view name = {});
  JsonText& end_object();
  JsonText& end_list();

 private:
  void comma();
  void member(std::string_view name);
  void quoted(std::string_view value);
  std::string text_;
};

/// Keeps the memory of its strings. What is set here is copied.
class Draft {
 public:
  /// The data's outermost object is open from here until `write`.
  void begin(std::string_view type, Timestamp at, const Uuid& id);
  /// Views of it all, which hold until it begins anew.
  void write(NewEvent& event);

  /// "CATEGORY-NAME"
  Draft& stream(std::string_view category, std::string_view name);
  /// "KEY:VALUE", once.
  Draft& tag(std::string_view key, std::string_view value);
  Draft& actor(std::string_view value);
  Draft& on_behalf_of(std::string_view value);
  Draft& reason(std::string_view value);
  Draft& correlation(std::string_view value);
  Draft& causation(const Uuid& event);
  Draft& target(std::string_view type, std::string_view id);

  [[nodiscard]] JsonText& data() { return data_; }
  [[nodiscard]] const Uuid& id() const { return id_; }
  [[nodiscard]] Timestamp at() const { return at_; }

 private:
  std::string_view type_;  // a literal
  Timestamp at_;
  Uuid id_;
  JsonText data_;
  std::string stream_;
  std::vector<std::string> tags_;  // the first `tag_count_` are in use
  std::size_t tag_count_ = 0;
  std::string actor_;
  std::string on_behalf_of_;
  std::string reason_;
  std::string correlation_;
  std::string causation_;
  std::string target_type_;
  std::string target_id_;
};

/// A history that goes on act by act, each of which adds one event or more.
class ActedHistory : public History {
 public:
  void next(NewEvent& event) final;

 protected:
  explicit ActedHistory(std::uint64_t seed);
  /// Adds at least one event in the long run.
  virtual void act() = 0;
  /// A new event behind those that were added before; the reference holds until the next call. `type` must outlive
  /// everything.
  Draft& add(std::string_view type, Timestamp at);
  [[nodiscard]] Random& random() { return random_; }

 private:
  Random random_;
  Random ids_;
  std::vector<Draft> drafts_;
  std::size_t taken_ = 0;
  std::size_t added_ = 0;
};

}  // namespace bahi::workload

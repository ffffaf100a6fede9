#include "arguments.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <rapidjson/document.h>
#include <rapidjson/error/en.h>

#include "bahi/base/text.hpp"

namespace bahi::projections {

struct Arguments::Impl {
  /// What all objects of one text share.
  struct Shared {
    rapidjson::Document document;
    std::optional<Error> problem;  // the first
  };
  std::shared_ptr<Shared> shared;
  const rapidjson::Value* object = nullptr;
  std::string path;  // in front of the members' names in messages
  std::vector<std::string> taken;

  void complain(std::string_view name, std::string_view problem) {
    if (shared->problem) return;
    shared->problem = Error{ErrorCode::kInvalidArgument, fmt::format("argument '{}{}' {}", path, name, problem)};
  }
  /// Null: absent.
  const rapidjson::Value* take(std::string_view name) {
    taken.emplace_back(name);
    const auto found = object->FindMember(rapidjson::StringRef(name.data(), name.size()));
    return found == object->MemberEnd() || found->value.IsNull() ? nullptr : &found->value;
  }
};

Arguments::Arguments(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Arguments::Arguments(Arguments&&) noexcept = default;
Arguments& Arguments::operator=(Arguments&&) noexcept = default;
Arguments::~Arguments() = default;

Result<Arguments> Arguments::parse(std::string_view json) {
  auto impl = std::make_unique<Impl>();
  impl->shared = std::make_shared<Impl::Shared>();
  rapidjson::Document& document = impl->shared->document;
  if (json.empty()) json = "{}";
  document.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag>(json.data(), json.size());
  if (document.HasParseError()) {
    return Error{ErrorCode::kMalformedJson, fmt::format("arguments: byte {}: {}", document.GetErrorOffset(),
                                                        rapidjson::GetParseError_En(document.GetParseError()))};
  }
  if (!document.IsObject()) return Error{ErrorCode::kInvalidArgument, "the arguments must be a JSON object"};
  impl->object = &document;
  return Arguments(std::move(impl));
}

std::optional<std::string> Arguments::optional_text(std::string_view name) {
  const rapidjson::Value* value = impl_->take(name);
  if (value == nullptr) return std::nullopt;
  if (value->IsInt64()) return std::to_string(value->GetInt64());
  if (!value->IsString() || value->GetStringLength() == 0) {
    impl_->complain(name, "must be a text that is not empty");
    return std::nullopt;
  }
  return std::string(value->GetString(), value->GetStringLength());
}

std::string Arguments::text(std::string_view name) {
  auto value = optional_text(name);
  if (!value) impl_->complain(name, "is missing");
  return value.value_or(std::string());
}

std::optional<std::int64_t> Arguments::optional_number(std::string_view name, std::int64_t min, std::int64_t max) {
  const rapidjson::Value* value = impl_->take(name);
  if (value == nullptr) return std::nullopt;
  if (!value->IsInt64() || value->GetInt64() < min || value->GetInt64() > max) {
    impl_->complain(name, fmt::format("must be a whole number from {} to {}", min, max));
    return std::nullopt;
  }
  return value->GetInt64();
}

std::int64_t Arguments::number(std::string_view name, std::int64_t min, std::int64_t max) {
  const auto value = optional_number(name, min, max);
  if (!value) impl_->complain(name, "is missing");
  return value.value_or(min);
}

std::int64_t Arguments::number_or(std::string_view name, std::int64_t fallback, std::int64_t min, std::int64_t max) {
  return optional_number(name, min, max).value_or(fallback);
}

bool Arguments::flag(std::string_view name) {
  const rapidjson::Value* value = impl_->take(name);
  if (value == nullptr) return false;
  if (!value->IsBool()) impl_->complain(name, "must be true or false");
  return value->IsTrue();
}

std::size_t Arguments::choice(std::string_view name, std::initializer_list<std::string_view> choices) {
  const rapidjson::Value* value = impl_->take(name);
  if (value == nullptr) return 0;
  if (value->IsString()) {
    const auto* const found =
        std::find(choices.begin(), choices.end(), std::string_view(value->GetString(), value->GetStringLength()));
    if (found != choices.end()) return static_cast<std::size_t>(found - choices.begin());
  }
  impl_->complain(name, fmt::format("must be one of {}", fmt::join(choices, ", ")));
  return 0;
}

std::optional<Timestamp> Arguments::optional_time(std::string_view name) {
  const auto text = optional_text(name);
  if (!text) return std::nullopt;
  const auto time = parse_timestamp(*text);
  if (time) return *time;
  impl_->complain(name, "must be a time like \"2026-03-31T09:30:00Z\"");
  return std::nullopt;
}

std::optional<std::int32_t> Arguments::optional_date(std::string_view name) {
  const auto text = optional_text(name);
  if (!text) return std::nullopt;
  const auto date = parse_date(*text);
  if (!date) impl_->complain(name, "must be a date like \"2026-03-31\"");
  return date;
}

std::vector<std::string> Arguments::texts(std::string_view name, std::size_t count_max) {
  std::vector<std::string> texts;
  const rapidjson::Value* value = impl_->take(name);
  if (value == nullptr) return texts;
  bool good = value->IsArray() && value->Size() <= count_max;
  if (good) {
    for (const rapidjson::Value& element : value->GetArray()) {
      good = good && element.IsString() && element.GetStringLength() != 0;
      if (good) texts.emplace_back(element.GetString(), element.GetStringLength());
    }
  }
  if (!good) impl_->complain(name, fmt::format("must be a list of at most {} texts, none of them empty", count_max));
  return texts;
}

std::vector<Arguments> Arguments::objects(std::string_view name, std::size_t count_max) {
  std::vector<Arguments> objects;
  const rapidjson::Value* value = impl_->take(name);
  if (value == nullptr || !value->IsArray() || value->Empty() || value->Size() > count_max) {
    impl_->complain(name, fmt::format("must be a list of 1 to {} objects", count_max));
    return objects;
  }
  for (const rapidjson::Value& element : value->GetArray()) {
    auto impl = std::make_unique<Impl>();
    impl->shared = impl_->shared;
    impl->path = fmt::format("{}{}[{}].", impl_->path, name, objects.size());
    impl->object = &element;
    if (!element.IsObject()) {
      impl_->complain(name, "must hold objects only");
      return {};
    }
    objects.push_back(Arguments(std::move(impl)));
  }
  return objects;
}

Status Arguments::check() {
  for (const auto& member : impl_->object->GetObject()) {
    const std::string_view name(member.name.GetString(), member.name.GetStringLength());
    if (std::find(impl_->taken.begin(), impl_->taken.end(), name) == impl_->taken.end()) {
      impl_->complain(name, fmt::format("is not known here; known are {}", fmt::join(impl_->taken, ", ")));
    }
  }
  if (impl_->shared->problem) return *impl_->shared->problem;
  return {};
}

}  // namespace bahi::projections

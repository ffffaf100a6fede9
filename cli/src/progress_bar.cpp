#include "bahi/cli/progress_bar.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include <unistd.h>

#include <fmt/format.h>

namespace bahi::cli {
namespace {

constexpr std::size_t kBarWidth = 24;
constexpr std::chrono::milliseconds kDrawInterval{100};
constexpr std::string_view kWipe = "\r\x1B[K";

std::string amount(std::uint64_t number, std::string_view unit) {
  return unit == "B" ? human_bytes(number) : fmt::format("{} {}", grouped(number), unit);
}

std::string duration_text(double seconds) {
  const auto whole = static_cast<std::uint64_t>(seconds + 0.5);
  if (whole >= 3600) return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace

std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, 1, ',');
  return text;
}

std::string human_bytes(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 6> kUnits{"B", "kB", "MB", "GB", "TB", "PB"};
  if (bytes < 1000) return fmt::format("{} B", bytes);
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 999.95 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string progress_line(std::string_view label, std::string_view unit, std::uint64_t done, std::uint64_t total,
                          std::chrono::duration<double> elapsed) {
  const double seconds = std::max(elapsed.count(), 1e-3);
  const double rate = static_cast<double>(done) / seconds;
  const std::string rate_text = amount(static_cast<std::uint64_t>(rate), unit) + "/s";
  if (total == 0) return fmt::format("{}  {}  {}", label, amount(done, unit), rate_text);
  const double part = std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
  const auto filled = static_cast<std::size_t>(part * kBarWidth);
  const std::string left =
      rate > 0 ? duration_text(static_cast<double>(total - std::min(done, total)) / rate) : std::string("?");
  return fmt::format("{} {:3.0f}% [{}{}] {}  {} left", label, part * 100, std::string(filled, '#'),
                     std::string(kBarWidth - filled, '.'), rate_text, left);
}

ProgressBar::ProgressBar(std::string label, std::string unit)
    : label_(std::move(label)), unit_(std::move(unit)), shown_(::isatty(STDERR_FILENO) != 0) {}

ProgressBar::~ProgressBar() {
  wipe();
}

void ProgressBar::update(std::uint64_t done, std::uint64_t total) {
  if (!shown_) return;
  const std::lock_guard lock(mutex_);
  const auto now = Clock::now();
  if (now < next_draw_) return;
  next_draw_ = now + kDrawInterval;
  drawn_ = true;
  const std::string line = progress_line(label_, unit_, done, total, now - start_);
  std::fprintf(stderr, "%s%s", kWipe.data(), line.c_str());
}

void ProgressBar::wipe() {
  const std::lock_guard lock(mutex_);
  if (!drawn_) return;
  std::fputs(kWipe.data(), stderr);
  drawn_ = false;
}

}  // namespace bahi::cli

#include "lab/progress.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "lab/table.h"

namespace kelvin::lab {
namespace {

constexpr std::chrono::milliseconds kLineInterval{100};
constexpr std::chrono::seconds kLinesInterval{5};
constexpr std::size_t kBarWidth = 20;
constexpr std::size_t kEnoughSamples = 3;

std::string_view KindInWords(SampleKind kind) {
  switch (kind) {
    case SampleKind::kCold:
      return "cold starts";
    case SampleKind::kWarmUp:
      return "warm-up";
    case SampleKind::kWarm:
      return "warm invokes";
  }
  return "";
}

std::string ProgressBar(const Progress& progress) {
  const std::size_t filled =
      progress.planned == 0 ? 0 : kBarWidth * progress.done / progress.planned;
  return '[' + std::string(filled, '=') + std::string(kBarWidth - filled, ' ') + ']';
}

std::string FormatLeft(double seconds) {
  if (seconds < 1) return "less than 1 s left";
  const auto whole = static_cast<long>(std::ceil(seconds));
  if (whole < 60) return fmt::format("{} s left", whole);
  return fmt::format("{} min {:02} s left", whole / 60, whole % 60);
}

}  // namespace

ProgressPrinter::ProgressPrinter(const Clock& clock, ProgressForm form, std::size_t width,
                                 Sink sink)
    : clock_(clock), form_(form), width_(width), sink_(std::move(sink)) {}

void ProgressPrinter::Measure(Clock::TimePoint now) {
  if (!current_) return;
  Pace& pace = *current_ == SampleKind::kCold ? cold_ : warm_;
  pace.seconds += std::chrono::duration<double>(now - current_start_).count();
  ++pace.samples;
}

bool ProgressPrinter::IsDue(const Progress& progress, Clock::TimePoint now) const {
  if (last_shown_ != progress.kind) return true;
  const Clock::TimePoint::duration interval = form_ == ProgressForm::kLine
                                                  ? Clock::TimePoint::duration(kLineInterval)
                                                  : Clock::TimePoint::duration(kLinesInterval);
  return now - last_shown_at_ >= interval;
}

std::optional<double> ProgressPrinter::SecondsLeft(const Progress& progress) const {
  if (cold_.samples + warm_.samples < kEnoughSamples) return std::nullopt;
  const auto mean = [](const Pace& pace, double otherwise) {
    return pace.samples == 0 ? otherwise : pace.seconds / static_cast<double>(pace.samples);
  };
  const double left =
      static_cast<double>(progress.cold_left) * mean(cold_, 0) +
      static_cast<double>(progress.warm_left) * mean(warm_, progress.warm_guess_ms / 1000);
  return std::min(left, progress.budget_left_seconds.value_or(left));
}

std::string ProgressPrinter::Text(const Progress& progress) const {
  std::string text =
      fmt::format("{}/{} {}", progress.done, progress.planned, KindInWords(progress.kind));
  if (const auto left = SecondsLeft(progress)) text += ", " + FormatLeft(*left);
  if (form_ == ProgressForm::kLine) text += fmt::format(", {}", progress.function);
  return text;
}

void ProgressPrinter::Show(const Progress& progress) {
  const Clock::TimePoint now = clock_.Now();
  Measure(now);
  current_ = progress.kind;
  current_start_ = now;
  if (!IsDue(progress, now)) return;
  last_shown_ = progress.kind;
  last_shown_at_ = now;
  if (form_ == ProgressForm::kLines) {
    sink_(Text(progress) + '\n');
    return;
  }
  std::string line = ProgressBar(progress) + ' ' + Text(progress);
  // A line that wrapped could not be written over.
  if (width_ > 0 && line.size() >= width_) line.resize(width_ - 1);
  sink_("\r\x1b[K" + line);
}

void ProgressPrinter::Clear() {
  if (form_ == ProgressForm::kLine && last_shown_) sink_("\r\x1b[K");
}

}  // namespace kelvin::lab

#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "lab/run.h"

namespace kelvin::lab {

enum class ProgressForm {
  kLine,   // one line that is written over, for a terminal
  kLines,  // a line now and then, for a log
};

// Shows how far a run is and how long it will still take. Cold and warm samples are timed apart:
// one can take a hundred times as long as the other. The clock outlives the object.
class ProgressPrinter {
 public:
  using Sink = std::function<void(std::string_view)>;
  ProgressPrinter(const Clock& clock, ProgressForm form, std::size_t width, Sink sink);

  void Show(const Progress& progress);
  // Takes the line away; to be called before anything else is written to the same terminal.
  void Clear();

 private:
  struct Pace {
    double seconds = 0;
    std::size_t samples = 0;
  };

  void Measure(Clock::TimePoint now);
  bool IsDue(const Progress& progress, Clock::TimePoint now) const;
  std::optional<double> SecondsLeft(const Progress& progress) const;
  std::string Text(const Progress& progress) const;

  const Clock& clock_;
  ProgressForm form_;
  std::size_t width_;
  Sink sink_;
  Pace cold_;
  Pace warm_;
  std::optional<SampleKind> current_;  // of the sample being taken
  Clock::TimePoint current_start_{};
  std::optional<SampleKind> last_shown_;
  Clock::TimePoint last_shown_at_{};
};

}  // namespace kelvin::lab

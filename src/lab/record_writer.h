#pragma once

#include <chrono>
#include <expected>
#include <filesystem>

#include "base/clock.h"
#include "base/error.h"
#include "lab/record.h"

namespace kelvin::lab {

// Keeps a record on disk while the run goes on, so that nothing measured is lost. The file is
// always one whole record.
class RecordWriter {
 public:
  // Makes the folder of `path` when it is missing. The clock outlives the object.
  static std::expected<RecordWriter, Error> Create(std::filesystem::path path, const Clock& clock);

  // Writes when the last write is a while ago: at least a second, and ten times what it took, so
  // that saving stays a small part of the run however large the record gets.
  std::expected<void, Error> Offer(const Record& record);
  // Writes now.
  std::expected<void, Error> Write(const Record& record);

  const std::filesystem::path& path() const { return path_; }

 private:
  RecordWriter(std::filesystem::path path, const Clock& clock)
      : path_(std::move(path)), clock_(&clock) {}

  std::filesystem::path path_;
  const Clock* clock_;
  Clock::TimePoint next_{};
};

}  // namespace kelvin::lab

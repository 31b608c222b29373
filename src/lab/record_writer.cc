#include "lab/record_writer.h"

#include <algorithm>
#include <system_error>

#include <fmt/format.h>

#include "base/file.h"

namespace kelvin::lab {

std::expected<RecordWriter, Error> RecordWriter::Create(std::filesystem::path path,
                                                        const Clock& clock) {
  const std::filesystem::path folder = path.parent_path();
  std::error_code error;
  if (!folder.empty()) std::filesystem::create_directories(folder, error);
  if (error) {
    return std::unexpected(
        ErrnoError(fmt::format("create the folder {}", folder.native()), error.value()));
  }
  return RecordWriter(std::move(path), clock);
}

std::expected<void, Error> RecordWriter::Offer(const Record& record) {
  if (clock_->Now() < next_) return {};
  return Write(record);
}

std::expected<void, Error> RecordWriter::Write(const Record& record) {
  const Clock::TimePoint start = clock_->Now();
  auto written = WriteFileAtomically(path_, RecordJson(record));
  const Clock::TimePoint end = clock_->Now();
  next_ = end + std::max<Clock::TimePoint::duration>(std::chrono::seconds{1}, 10 * (end - start));
  return written;
}

}  // namespace kelvin::lab

#pragma once

#include <expected>
#include <filesystem>
#include <string_view>

#include "base/error.h"
#include "base/file.h"
#include "lab/record.h"

namespace kelvin::lab {

// How a journal begins: its first line is {"journal_of": record without samples}, every further one
// is a sample, or {"functions": [...]} when what is known of them has changed.
inline constexpr std::string_view kJournalStart = "{\"journal_of\":";

// Keeps a record on disk. While the run goes on each sample is appended to a journal beside the
// record (compare.json has compare.journal), so that a crash loses none; at the end the whole
// record takes the journal's place. ParseRecord reads both.
class RecordKeeper {
 public:
  // Makes the folder of `path` when it is missing. The journal of an earlier run that did not end
  // is kept as compare.journal.old; `kept_journal` says so.
  static std::expected<RecordKeeper, Error> Create(std::filesystem::path path);

  // Appends what is new since the last call.
  std::expected<void, Error> Append(const Record& record);
  // Writes the record whole, in the journal's place.
  std::expected<void, Error> Finish(const Record& record);

  const std::filesystem::path& path() const { return path_; }
  // Empty when there was none.
  const std::filesystem::path& kept_journal() const { return kept_journal_; }

 private:
  explicit RecordKeeper(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path JournalPath() const;

  std::filesystem::path path_;
  std::filesystem::path kept_journal_;
  UniqueFd journal_;
  std::size_t samples_ = 0;             // that the journal has
  std::vector<std::string> abandoned_;  // as the journal knows them, by function
};

}  // namespace kelvin::lab

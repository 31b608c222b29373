#pragma once

#include <chrono>
#include <expected>
#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "base/error.h"
#include "base/file.h"

namespace kelvin::cli {

// Tells when one of some files was written or replaced (inotify on their folders, so that a file
// may be missing for a while). One thread uses it; only Stop may be called from another.
class FileWatch {
 public:
  static std::expected<FileWatch, Error> Create();

  // Watches this file as well; false when it is watched already. Fails when its folder is not
  // there.
  std::expected<bool, Error> Add(const std::filesystem::path& file);

  enum class End { kChanged, kStopped };
  // Waits for a change since the last call, and on until nothing has changed for `quiet`.
  std::expected<End, Error> Wait(std::chrono::milliseconds quiet);

  // Ends a Wait, this one or the next.
  void Stop() const;

 private:
  FileWatch(UniqueFd events, UniqueFd stop) : events_(std::move(events)), stop_(std::move(stop)) {}

  // Whether what has happened so far concerns a watched file.
  std::expected<bool, Error> ReadEvents();

  UniqueFd events_;
  UniqueFd stop_;
  std::map<int, std::set<std::string>> names_;  // of the files, by the watch on their folder
};

}  // namespace kelvin::cli

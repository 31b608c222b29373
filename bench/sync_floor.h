#pragma once

#include <filesystem>
#include <string>

#include "base/file.h"
#include "measure.h"

namespace kelvin::bench {

// One page appended to a file and synced: the least that a durable write can do.
class SyncFloor {
 public:
  // `sync` is fsync or fdatasync.
  SyncFloor(const std::filesystem::path& folder, int (*sync)(int));
  Microseconds Sync();

 private:
  UniqueFd file_;
  int (*sync_)(int);
  std::string page_ = std::string(4096, 'x');
};

}  // namespace kelvin::bench

#include "sync_floor.h"

#include <fcntl.h>

namespace kelvin::bench {

SyncFloor::SyncFloor(const std::filesystem::path& folder, int (*sync)(int))
    : file_(::open((folder / "floor").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)), sync_(sync) {
  if (!file_.valid()) Die("cannot write to " + folder.string());
}

Microseconds SyncFloor::Sync() {
  const auto start = std::chrono::steady_clock::now();
  if (!WriteAll(file_.get(), page_) || sync_(file_.get()) != 0) Die("cannot sync");
  return Since(start);
}

}  // namespace kelvin::bench

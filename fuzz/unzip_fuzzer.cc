// Whatever the bytes are, unpacking ends, and nothing appears outside the folder.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>

#include "base/file.h"
#include "package/zip.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto outside = kelvin::TemporaryDirectory::Create("/dev/shm");
  if (!outside) std::abort();
  const std::filesystem::path folder = outside->path() / "folder";
  std::filesystem::create_directory(folder);
  const kelvin::package::ZipLimits limits{.max_unpacked_bytes = 1 << 20, .max_entries = 100};
  auto unpacked =
      kelvin::package::UnpackZip({reinterpret_cast<const char*>(data), size}, folder, limits);
  if (!unpacked && !std::filesystem::is_empty(folder)) std::abort();
  for (const auto& item : std::filesystem::directory_iterator(outside->path())) {
    if (item.path() != folder) std::abort();
  }
  std::filesystem::remove_all(folder);
  return 0;
}

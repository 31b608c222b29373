// Records and journals are read back from disk, where people edit them and crashes cut them short.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "lab/record.h"
#include "lab/record_reader.h"

namespace lab = kelvin::lab;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto record = lab::ParseRecord(text);
  if (!record) {
    if (record.error().message.empty()) __builtin_trap();
    return 0;
  }
  // What was read is written so that it reads the same.
  const std::string written = lab::RecordJson(*record);
  const auto again = lab::ParseRecord(written);
  if (!again || lab::RecordJson(*again) != written) __builtin_trap();
  return 0;
}

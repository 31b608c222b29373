#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace kelvin::package {

// What matters of a PE file: whether it is a .NET assembly, and where its parts are. The views
// point into the bytes it was read from.
struct PeImage {
  std::uint16_t machine = 0;            // as in the file; ReadyToRun images for Linux mask it
  bool managed = false;                 // has a CLI header
  bool il_only = false;                 // no native code of its own, says the CLI header
  bool ready_to_run = false;            // precompiled code beside the IL
  std::string_view metadata;            // ECMA-335 II.24; empty when not managed
  std::uint64_t native_code_bytes = 0;  // of executable sections beyond the IL, when ready to run

  struct Section {
    std::string_view name;
    std::uint32_t address = 0;
    std::uint32_t size = 0;  // in memory
    std::uint32_t offset = 0;
    std::uint32_t file_size = 0;
  };
  std::vector<Section> sections;
  std::string_view bytes;

  // The file's bytes from a relative virtual address to the end of its section, or empty.
  std::string_view AtAddress(std::uint32_t address) const;
};

// ECMA-335 II.25. Fails with kInvalidArgument, naming the header that is wrong. Never reads outside
// `bytes`, which outlive the result.
std::expected<PeImage, Error> ReadPe(std::string_view bytes);

// "x86_64", "arm64", "any": the machine that an image's code is for.
std::string_view PeMachineName(const PeImage& image);

}  // namespace kelvin::package

// Whatever an assembly's headers, metadata and code are, reading stays within its bytes and ends.
#include <cstddef>
#include <cstdint>
#include <string>

#include "package/dotnet_code.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kelvin::package;
  static const KnownMembers kKnown;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const auto image = ReadPe(bytes);
  if (!image || !image->managed) return 0;
  const auto metadata = DotnetMetadata::Parse(image->metadata);
  if (!metadata) return 0;
  metadata->AssemblyName();
  metadata->References();
  for (std::uint32_t row = 1; row <= metadata->Rows(Table::kTypeSpec) && row < 100; ++row) {
    metadata->TypeName({static_cast<std::uint8_t>(Table::kTypeSpec), row});
  }
  const DotnetAnnotations annotations(*metadata);
  FindUses(*image, *metadata, annotations, kKnown);
  return 0;
}

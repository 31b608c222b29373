#include "package/pe_image.h"

#include <algorithm>

#include <fmt/format.h>

#include "package/little_endian.h"

namespace kelvin::package {
namespace {

std::unexpected<Error> Damaged(std::string_view why) {
  return std::unexpected(Error{
      ErrorCode::kInvalidArgument,
      fmt::format("expected a whole Windows or .NET image, {}; build or copy it again", why)});
}

struct Directory {
  std::uint32_t address = 0;
  std::uint32_t size = 0;
};

std::optional<Directory> DirectoryAt(std::string_view bytes, std::uint64_t offset) {
  const auto address = NumberAt<std::uint32_t>(bytes, offset);
  const auto size = NumberAt<std::uint32_t>(bytes, offset + 4);
  if (!address || !size) return std::nullopt;
  return Directory{*address, *size};
}

std::expected<void, Error> ReadSections(std::string_view table, std::size_t count, PeImage& image) {
  constexpr std::size_t kHeader = 40;
  if (table.size() / kHeader < count) {
    return Damaged(fmt::format("its {} section headers are not all there", count));
  }
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view header = table.substr(i * kHeader, kHeader);
    PeImage::Section section{.name = header.substr(0, std::min<std::size_t>(8, header.find('\0'))),
                             .address = *NumberAt<std::uint32_t>(header, 12),
                             .size = *NumberAt<std::uint32_t>(header, 8),
                             .offset = *NumberAt<std::uint32_t>(header, 20),
                             .file_size = *NumberAt<std::uint32_t>(header, 16)};
    if (PartOf(image.bytes, section.offset, section.file_size).empty() && section.file_size != 0) {
      return Damaged(fmt::format("its section {} has {} bytes at offset {}, the file has {}", i,
                                 section.file_size, section.offset, image.bytes.size()));
    }
    image.sections.push_back(section);
  }
  return {};
}

std::expected<void, Error> ReadCliHeader(Directory at, PeImage& image) {
  const std::string_view header = image.AtAddress(at.address);
  const auto metadata = DirectoryAt(header, 8);
  const auto flags = NumberAt<std::uint32_t>(header, 16);
  const auto native = DirectoryAt(header, 64);
  if (!metadata || !flags || !native) return Damaged("its CLI header is not within the file");
  image.managed = true;
  constexpr std::uint32_t kIlOnly = 1;
  image.il_only = (*flags & kIlOnly) != 0;
  image.metadata = PartOf(image.AtAddress(metadata->address), 0, metadata->size);
  if (image.metadata.empty()) return Damaged("its .NET metadata is not within the file");
  if (native->address != 0) {
    image.ready_to_run = image.AtAddress(native->address).starts_with(std::string_view("RTR\0", 4));
  }
  return {};
}

}  // namespace

std::string_view PeImage::AtAddress(std::uint32_t address) const {
  for (const Section& section : sections) {
    if (address < section.address) continue;
    const std::uint32_t inside = address - section.address;
    if (inside < section.file_size) {
      return bytes.substr(std::size_t{section.offset} + inside, section.file_size - inside);
    }
  }
  return {};
}

std::expected<PeImage, Error> ReadPe(std::string_view bytes) {
  if (!bytes.starts_with("MZ")) return Damaged("it does not begin as one");
  const auto header_at = NumberAt<std::uint32_t>(bytes, 0x3c);
  if (!header_at || PartOf(bytes, *header_at, 4) != std::string_view("PE\0\0", 4)) {
    return Damaged("its PE header is missing");
  }
  const std::uint64_t coff = std::uint64_t{*header_at} + 4;
  const auto sections = NumberAt<std::uint16_t>(bytes, coff + 2);
  const auto optional_size = NumberAt<std::uint16_t>(bytes, coff + 16);
  if (!sections || !optional_size) return Damaged("it ends within its headers");
  PeImage image{.machine = *NumberAt<std::uint16_t>(bytes, coff),
                .metadata = {},
                .sections = {},
                .bytes = bytes};
  const std::uint64_t optional_at = coff + 20;
  const std::string_view optional = PartOf(bytes, optional_at, *optional_size);
  const auto magic = NumberAt<std::uint16_t>(optional, 0);
  if (!magic || (*magic != 0x10b && *magic != 0x20b)) {
    return Damaged("its optional header is of no known kind");
  }
  const std::uint64_t table_at = optional_at + *optional_size;
  auto read =
      ReadSections(bytes.substr(std::min<std::uint64_t>(table_at, bytes.size())), *sections, image);
  if (!read) return std::unexpected(std::move(read.error()));
  // The 15th data directory; they begin after the fixed part, which is longer with 64 bits.
  constexpr std::uint64_t kCliDirectory = 14;
  const std::uint64_t directories = *magic == 0x10b ? 96 : 112;
  const auto cli = DirectoryAt(optional, directories + kCliDirectory * 8);
  if (!cli || cli->address == 0) return image;
  read = ReadCliHeader(*cli, image);
  if (!read) return std::unexpected(std::move(read.error()));
  if (image.ready_to_run) {
    for (const PeImage::Section& section : image.sections) {
      if (section.name == "managed" || section.name == ".managed") {
        image.native_code_bytes += section.file_size;
      }
    }
  }
  return image;
}

std::string_view PeMachineName(const PeImage& image) {
  constexpr std::uint16_t kLinuxMask = 0x7b79;
  for (const std::uint16_t mask : {std::uint16_t{0}, kLinuxMask}) {
    switch (image.machine ^ mask) {
      case 0x8664:
        return "x86_64";
      case 0xaa64:
        return "arm64";
      default:
        break;
    }
  }
  return image.il_only ? "any" : "another";
}

}  // namespace kelvin::package

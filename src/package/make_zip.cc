#include <algorithm>
#include <limits>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/crc32.h"
#include "base/file.h"
#include "package/deflate.h"
#include "package/entry_name.h"
#include "package/zip.h"

namespace kelvin::package {
namespace {

Error Refused(std::string message) {
  return Error{ErrorCode::kInvalidArgument, std::move(message)};
}

std::expected<void, Error> CheckNames(const std::vector<PackEntry>& sorted) {
  std::set<std::string_view> names;
  for (const PackEntry& entry : sorted) {
    auto components = SplitEntryName(entry.name);
    if (!components) return std::unexpected(std::move(components.error()));
    if (fmt::format("{}", fmt::join(*components, "/")) != entry.name) {
      return std::unexpected(Refused(
          fmt::format("expected a plain name such as \"lib/data.bin\", got \"{}\"", entry.name)));
    }
    if (!entry.link_target.empty() && !LinkStaysInside(entry.link_target, components->size() - 1)) {
      return std::unexpected(
          Refused(fmt::format("expected links that stay inside the package, got \"{}\" to \"{}\"",
                              entry.name, entry.link_target)));
    }
    if (!names.insert(entry.name).second) {
      return std::unexpected(
          Refused(fmt::format("expected each name once, got \"{}\" twice", entry.name)));
    }
  }
  for (const PackEntry& entry : sorted) {
    const std::string_view name = entry.name;
    for (std::size_t at = name.find('/'); at != name.npos; at = name.find('/', at + 1)) {
      if (names.contains(name.substr(0, at))) {
        return std::unexpected(Refused(fmt::format(
            "\"{}\" cannot be a file and the folder of \"{}\"", name.substr(0, at), name)));
      }
    }
  }
  return {};
}

template <int kBytes>
void Append(std::string& text, std::uint64_t number) {
  for (int i = 0; i < kBytes; ++i) text.push_back(static_cast<char>(number >> (8 * i)));
}

// APPNOTE.TXT 4.3: what the headers in front of the bytes and in the directory share.
std::string CommonHeader(const std::string& name, std::string_view content,
                         std::string_view packed) {
  constexpr std::uint64_t kStored = 0;
  constexpr std::uint64_t kDeflated = 8;
  constexpr std::uint64_t kUtf8 = 0x0800;
  constexpr std::uint64_t kFirstOf1980 = 0x00210000;
  const bool ascii =
      std::ranges::all_of(name, [](char c) { return static_cast<signed char>(c) >= 0; });
  std::string header;
  Append<2>(header, 20);
  Append<2>(header, ascii ? 0 : kUtf8);
  Append<2>(header, packed.data() == content.data() ? kStored : kDeflated);
  Append<4>(header, kFirstOf1980);
  Append<4>(header, Crc32(content));
  Append<4>(header, packed.size());
  Append<4>(header, content.size());
  Append<2>(header, name.size());
  Append<2>(header, 0);
  return header;
}

class Writer {
 public:
  std::expected<void, Error> Add(const PackEntry& entry) {
    std::string content = entry.link_target;
    if (entry.link_target.empty()) {
      auto read = ReadFile(entry.source, kMost);
      if (!read) return std::unexpected(std::move(read.error()));
      content = std::move(*read);
    }
    const std::string deflated = Deflate(content);
    const std::string_view packed =
        deflated.size() < content.size() ? std::string_view(deflated) : std::string_view(content);
    if (zip_.size() + packed.size() + entry.name.size() > kMost || entries_ == 0xffff) {
      return std::unexpected(Error{ErrorCode::kResourceExhausted,
                                   "expected less than 4 GB and 65535 files for a zip, got more"});
    }
    const std::uint64_t offset = zip_.size();
    const std::string common = CommonHeader(entry.name, content, packed);
    zip_ += "PK\3\4" + common + entry.name;
    zip_ += packed;
    constexpr std::uint64_t kMadeOnUnix = 3 << 8 | 20;
    std::uint64_t mode = entry.executable ? 0100755 : 0100644;
    if (!entry.link_target.empty()) mode = 0120777;
    directory_ += "PK\1\2";
    Append<2>(directory_, kMadeOnUnix);
    directory_ += common;
    Append<6>(directory_, 0);  // no comment, first disk, no flags
    Append<4>(directory_, mode << 16);
    Append<4>(directory_, offset);
    directory_ += entry.name;
    ++entries_;
    return {};
  }

  std::string Finish() {
    const std::uint64_t directory_at = zip_.size();
    zip_ += directory_;
    zip_ += "PK\5\6";
    Append<4>(zip_, 0);
    Append<2>(zip_, entries_);
    Append<2>(zip_, entries_);
    Append<4>(zip_, directory_.size());
    Append<4>(zip_, directory_at);
    Append<2>(zip_, 0);
    return std::move(zip_);
  }

 private:
  static constexpr std::size_t kMost = std::numeric_limits<std::uint32_t>::max();
  std::string zip_;
  std::string directory_;
  std::uint64_t entries_ = 0;
};

}  // namespace

std::expected<void, Error> SortAndCheck(std::vector<PackEntry>& entries) {
  std::ranges::sort(entries, {}, &PackEntry::name);
  return CheckNames(entries);
}

std::expected<std::string, Error> MakeZip(std::vector<PackEntry> entries) {
  if (auto checked = SortAndCheck(entries); !checked) {
    return std::unexpected(std::move(checked.error()));
  }
  Writer writer;
  for (const PackEntry& entry : entries) {
    if (auto added = writer.Add(entry); !added) return std::unexpected(std::move(added.error()));
  }
  return writer.Finish();
}

}  // namespace kelvin::package

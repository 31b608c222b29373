#include "sandbox/protocol.h"

#include <charconv>

#include <fmt/format.h>

#include "sandbox/channel.h"

namespace kelvin::sandbox {
namespace {

constexpr std::size_t kFixedParts = 11;
constexpr std::size_t kFixedExtensionParts = 2;

template <typename T>
T Number(const std::string& text) {
  T number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

std::string Encode(const LaunchRequest& request) {
  std::vector<std::string> parts{
      fmt::format("{}", static_cast<int>(request.privacy)),
      fmt::format("{}", static_cast<int>(request.memory_watch)),
      fmt::format("{}", request.uid),
      fmt::format("{}", request.gid),
      fmt::format("{}", request.memory_mb),
      fmt::format("{}", request.tmp_mb),
      request.folders.code.native(),
      request.folders.layers.native(),
      request.folders.runtime.native(),
      request.folders.language.native(),
      request.mount_point.native(),
  };
  parts.insert(parts.end(), request.environment.begin(), request.environment.end());
  return JoinParts(parts);
}

LaunchRequest DecodeLaunchRequest(std::string_view bytes) {
  std::vector<std::string> parts = SplitParts(bytes);
  if (parts.size() < kFixedParts) return {};
  LaunchRequest request{
      .privacy = static_cast<Privacy>(Number<int>(parts[0])),
      .memory_watch = static_cast<MemoryWatch>(Number<int>(parts[1])),
      .uid = Number<uid_t>(parts[2]),
      .gid = Number<gid_t>(parts[3]),
      .memory_mb = Number<int>(parts[4]),
      .tmp_mb = Number<int>(parts[5]),
      .folders = {.code = parts[6], .layers = parts[7], .runtime = parts[8], .language = parts[9]},
      .mount_point = parts[10],
      .environment = {}};
  request.environment.assign(parts.begin() + kFixedParts, parts.end());
  return request;
}

std::string Encode(const ExtensionLaunch& launch) {
  std::vector<std::string> parts{fmt::format("{}", launch.number), launch.name};
  parts.insert(parts.end(), launch.environment.begin(), launch.environment.end());
  return JoinParts(parts);
}

ExtensionLaunch DecodeExtensionLaunch(std::string_view bytes) {
  std::vector<std::string> parts = SplitParts(bytes);
  if (parts.size() < kFixedExtensionParts) return {};
  ExtensionLaunch launch{
      .number = Number<int>(parts[0]), .name = std::move(parts[1]), .environment = {}};
  launch.environment.assign(parts.begin() + kFixedExtensionParts, parts.end());
  return launch;
}

}  // namespace kelvin::sandbox

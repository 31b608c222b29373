#include "sandbox/protocol.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "sandbox/channel.h"

namespace kelvin::sandbox {
namespace {

constexpr std::size_t kLaunchParts = 5;
constexpr std::size_t kFurnishingParts = 6;

template <typename T>
T Number(const std::string& text) {
  T number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

std::string Encode(const LaunchRequest& request) {
  return JoinParts({
      fmt::format("{}", static_cast<int>(request.privacy)),
      fmt::format("{}", static_cast<int>(request.memory_watch)),
      fmt::format("{}", request.uid),
      fmt::format("{}", request.gid),
      request.mount_point.native(),
  });
}

LaunchRequest DecodeLaunchRequest(std::string_view bytes) {
  const std::vector<std::string> parts = SplitParts(bytes);
  if (parts.size() != kLaunchParts) return {};
  return {.privacy = static_cast<Privacy>(Number<int>(parts[0])),
          .memory_watch = static_cast<MemoryWatch>(Number<int>(parts[1])),
          .uid = Number<uid_t>(parts[2]),
          .gid = Number<gid_t>(parts[3]),
          .mount_point = parts[4]};
}

std::string Encode(const Furnishing& furnishing) {
  return JoinParts({
      fmt::format("{}", furnishing.memory_mb),
      fmt::format("{}", furnishing.tmp_mb),
      furnishing.folders.code.native(),
      furnishing.folders.layers.native(),
      furnishing.folders.runtime.native(),
      furnishing.folders.language.native(),
  });
}

Furnishing DecodeFurnishing(std::string_view bytes) {
  const std::vector<std::string> parts = SplitParts(bytes);
  if (parts.size() != kFurnishingParts) return {};
  return {
      .memory_mb = Number<int>(parts[0]),
      .tmp_mb = Number<int>(parts[1]),
      .folders = {.code = parts[2], .layers = parts[3], .runtime = parts[4], .language = parts[5]}};
}

std::string Encode(const Program& program) {
  std::vector<std::string> parts{program.folder.native(),
                                 fmt::format("{}", program.candidates.size())};
  parts.insert(parts.end(), program.candidates.begin(), program.candidates.end());
  parts.insert(parts.end(), program.environment.begin(), program.environment.end());
  return JoinParts(parts);
}

Program DecodeProgram(std::string_view bytes) {
  std::vector<std::string> parts = SplitParts(bytes);
  if (parts.size() < 2) return {};
  const auto candidates = parts.begin() + 2;
  const auto environment =
      candidates + std::min(Number<std::ptrdiff_t>(parts[1]), parts.end() - candidates);
  return {.folder = parts[0],
          .candidates = {candidates, environment},
          .environment = {environment, parts.end()}};
}

std::string Encode(const ExtensionLaunch& launch) {
  return JoinParts({fmt::format("{}", launch.number)}) + Encode(launch.program);
}

ExtensionLaunch DecodeExtensionLaunch(std::string_view bytes) {
  const std::size_t end = std::min(bytes.find('\0'), bytes.size());
  return {.number = Number<int>(std::string(bytes.substr(0, end))),
          .program = DecodeProgram(bytes.substr(std::min(end + 1, bytes.size())))};
}

}  // namespace kelvin::sandbox

#include "engine/image_format.h"

#include <cstring>

#include <fmt/format.h>

namespace kelvin::engine {
namespace {

bool RunsOnThisCpu(std::string_view cpu) {
  if (cpu == "x86-64-v2") return __builtin_cpu_supports("x86-64-v2") != 0;
  if (cpu == "x86-64-v3") return __builtin_cpu_supports("x86-64-v3") != 0;
  if (cpu == "x86-64-v4") return __builtin_cpu_supports("x86-64-v4") != 0;
  return false;
}

std::unexpected<Error> Unfit(ErrorCode code, std::string message) {
  return std::unexpected(Error{code, std::move(message)});
}

}  // namespace

std::uint64_t Digest(std::string_view bytes) {
  constexpr std::uint64_t kFactor = 0x9E3779B97F4A7C15;
  std::uint64_t hash = bytes.size() * kFactor;
  while (!bytes.empty()) {
    std::uint64_t word = 0;
    const std::size_t size = bytes.size() < sizeof word ? bytes.size() : sizeof word;
    std::memcpy(&word, bytes.data(), size);
    bytes.remove_prefix(size);
    hash = (hash ^ word) * kFactor;
    hash ^= hash >> 32;
  }
  return hash;
}

std::expected<std::string_view, Error> CheckSeal(std::string_view file, const BuildId& engine,
                                                 std::string_view bitcode) {
  ImageSeal seal;
  const ImageSeal expected;
  if (file.size() <= sizeof seal) return Unfit(ErrorCode::kCorrupt, "it is cut short");
  const std::string_view object = file.substr(0, file.size() - sizeof seal);
  std::memcpy(&seal, file.data() + object.size(), sizeof seal);
  if (std::memcmp(seal.magic, expected.magic, sizeof seal.magic) != 0) {
    return Unfit(ErrorCode::kCorrupt, "it is cut short or no image");
  }
  if (seal.engine != engine) {
    return Unfit(ErrorCode::kInvalidArgument,
                 fmt::format("it was made for the engine {}, this is {}", BuildIdText(seal.engine),
                             BuildIdText(engine)));
  }
  const std::string_view cpu(seal.cpu, ::strnlen(seal.cpu, sizeof seal.cpu));
  if (!RunsOnThisCpu(cpu)) {
    return Unfit(ErrorCode::kInvalidArgument,
                 fmt::format("it needs the CPU {}, which this one is not", cpu));
  }
  if (seal.bitcode != Digest(bitcode)) {
    return Unfit(ErrorCode::kInvalidArgument, "it was made from another function.bc");
  }
  if (seal.object != Digest(object)) return Unfit(ErrorCode::kCorrupt, "it is damaged");
  return object;
}

}  // namespace kelvin::engine

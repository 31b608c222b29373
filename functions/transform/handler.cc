#include "handler.h"

#include <algorithm>
#include <bit>

#include <fmt/format.h>

namespace transform {
namespace {

constexpr std::uint32_t kMaxSize = 4'194'304;
constexpr std::uint32_t kMaxRounds = 100'000;
// Odd constants with well-spread bits, from the golden ratio and the square roots of 2 and 3.
constexpr std::uint32_t kGolden = 0x9E3779B1;
constexpr std::uint32_t kRootOfTwo = 0x6A09E667;
constexpr std::uint32_t kRootOfThree = 0xBB67AE85;

std::unexpected<kelvin::HandlerError> BadJob(std::string_view what, std::uint32_t most,
                                             std::uint32_t came) {
  return std::unexpected(kelvin::HandlerError{
      "Function.BadJob", fmt::format("expected {} from 1 to {}, got {}", what, most, came)});
}

Figures FiguresOf(const std::vector<std::uint32_t>& numbers, std::uint32_t rounds) {
  std::uint64_t sum = 0;
  std::uint64_t hash = kGolden;
  for (const std::uint32_t number : numbers) {
    sum += number;
    hash = std::rotl(hash ^ number, 27) * 0x9E3779B97F4A7C15;
  }
  const auto [smallest, largest] = std::ranges::minmax(numbers);
  return Figures{.checksum = fmt::format("{:016x}", hash),
                 .steps = std::uint64_t{numbers.size()} * rounds,
                 .smallest = smallest,
                 .largest = largest,
                 .mean = static_cast<double>(sum) / static_cast<double>(numbers.size())};
}

}  // namespace

void Mix(std::vector<std::uint32_t>& numbers, std::uint32_t round) {
  const std::uint32_t salt = round * kRootOfThree;
  for (std::uint32_t& number : numbers) {
    std::uint32_t x = number + salt;
    x = (x ^ x >> 15) * kGolden;
    x = (x ^ std::rotl(x, 11)) * kRootOfTwo;
    number = x ^ x >> 13;
  }
}

std::expected<Figures, kelvin::HandlerError> Transform(const Job& job) {
  if (job.size < 1 || job.size > kMaxSize) return BadJob("size", kMaxSize, job.size);
  if (job.rounds < 1 || job.rounds > kMaxRounds) return BadJob("rounds", kMaxRounds, job.rounds);
  std::vector<std::uint32_t> numbers(job.size);
  for (std::uint32_t i = 0; i < job.size; ++i) numbers[i] = i * kGolden;
  for (std::uint32_t round = 0; round < job.rounds; ++round) Mix(numbers, round);
  return FiguresOf(numbers, job.rounds);
}

}  // namespace transform

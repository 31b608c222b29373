#include "lab/plan.h"

#include <numeric>
#include <random>
#include <utility>

namespace kelvin::lab {
namespace {

// Uniform below `bound`. std::uniform_int_distribution differs between standard libraries, and a
// recorded seed has to give the same plan everywhere.
std::uint64_t Below(std::mt19937_64& generator, std::uint64_t bound) {
  const std::uint64_t usable = std::mt19937_64::max() - std::mt19937_64::max() % bound;
  std::uint64_t drawn = 0;
  do {
    drawn = generator();
  } while (drawn >= usable);
  return drawn % bound;
}

void Shuffle(std::vector<std::size_t>& order, std::mt19937_64& generator) {
  for (std::size_t i = order.size(); i > 1; --i) {
    std::swap(order[i - 1], order[Below(generator, i)]);
  }
}

void AddRounds(SampleKind kind, int rounds, std::vector<std::size_t>& order,
               std::mt19937_64& generator, std::vector<Step>& steps) {
  for (int round = 0; round < rounds; ++round) {
    Shuffle(order, generator);
    for (const std::size_t function : order) steps.push_back(Step{kind, function, round});
  }
}

void AddBlock(SampleKind kind, int rounds, std::size_t function, std::vector<Step>& steps) {
  for (int round = 0; round < rounds; ++round) steps.push_back(Step{kind, function, round});
}

}  // namespace

std::vector<Step> MakePlan(std::size_t functions, const PlanOptions& options) {
  std::mt19937_64 generator(options.seed);
  std::vector<std::size_t> order(functions);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::vector<Step> steps;
  AddRounds(SampleKind::kCold, options.cold, order, generator, steps);
  if (options.warm_order == WarmOrder::kInTurn) {
    Shuffle(order, generator);
    for (const std::size_t function : order) {
      AddBlock(SampleKind::kWarmUp, options.warm_up, function, steps);
      AddBlock(SampleKind::kWarm, options.warm, function, steps);
    }
    return steps;
  }
  AddRounds(SampleKind::kWarmUp, options.warm_up, order, generator, steps);
  AddRounds(SampleKind::kWarm, options.warm, order, generator, steps);
  return steps;
}

}  // namespace kelvin::lab

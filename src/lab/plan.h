#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace kelvin::lab {

enum class SampleKind {
  kCold,    // the first invoke of a fresh environment
  kWarmUp,  // the invokes after it, while the function is still getting warm; reported apart
  kWarm,    // what a settled environment does
};

// How the warm invokes of several functions go together.
enum class WarmOrder {
  kInterleaved,  // one of each function a round
  kInTurn,       // one function after the other, in random order: those that share an environment
};

struct PlanOptions {
  int cold = 20;     // samples a function
  int warm_up = 10;  // invokes a function
  int warm = 200;    // samples a function
  std::uint64_t seed = 0;
  WarmOrder warm_order = WarmOrder::kInterleaved;
};

// One sample to take: of which function, by its place in the caller's list.
struct Step {
  SampleKind kind = SampleKind::kCold;
  std::size_t function = 0;
  int round = 0;  // of its kind; the first of a kind is never left out
};

// The order of a whole run: first all cold samples, then the warm-up, then the warm samples. Each
// of these goes in rounds of one sample a function in random order, so that whatever changes on the
// machine meanwhile meets every function alike. In turn, warm-up and warm samples go function by
// function instead. The same options give the same plan everywhere.
std::vector<Step> MakePlan(std::size_t functions, const PlanOptions& options);

}  // namespace kelvin::lab

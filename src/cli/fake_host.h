#pragma once

#include <map>
#include <string>

#include "base/fake_clock.h"
#include "base/ids.h"
#include "cli/host.h"

namespace kelvin::cli {

// For tests: a process whose output is kept and whose environment is what the test puts there.
class FakeHost {
 public:
  std::string out;
  std::string err;
  std::map<std::string, std::string, std::less<>> environment;
  const FakeClock clock;

  Host host() {
    return Host{.out = {.write = [this](std::string_view text) { out += text; }},
                .err = {.write = [this](std::string_view text) { err += text; }},
                .environment = [this](std::string_view name) -> std::optional<std::string> {
                  const auto found = environment.find(name);
                  if (found == environment.end()) return std::nullopt;
                  return found->second;
                },
                .clock = clock,
                .random = random_};
  }

 private:
  class CountingRandom final : public Random {
   public:
    std::uint64_t Next() override { return value_++ << 32; }

   private:
    std::uint64_t value_ = 1;
  };
  CountingRandom random_;
};

}  // namespace kelvin::cli

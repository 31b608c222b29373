#include <algorithm>

#include "filter.h"

namespace {

class Reverse final : public plugins::Filter {
 public:
  std::string Apply(std::string text) const override {
    std::ranges::reverse(text);
    return text;
  }
};

}  // namespace

extern "C" std::unique_ptr<plugins::Filter> MakeFilter() {
  return std::make_unique<Reverse>();
}

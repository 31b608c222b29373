#include <algorithm>

#include "filter.h"

namespace {

class Upper final : public plugins::Filter {
 public:
  std::string Apply(std::string text) const override {
    std::ranges::transform(text, text.begin(), [](char c) {
      return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    return text;
  }
};

}  // namespace

extern "C" std::unique_ptr<plugins::Filter> MakeFilter() {
  return std::make_unique<Upper>();
}

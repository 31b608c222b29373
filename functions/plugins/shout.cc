// A filter that is linked into the function in every mode: it registers itself when the program
// starts.
#include "registry.h"

namespace plugins {
namespace {

class Shout final : public Filter {
 public:
  std::string Apply(std::string text) const override { return text + "!"; }
};

const bool registered =
    LinkedIn()
        .emplace(
            "shout", +[]() -> std::unique_ptr<Filter> { return std::make_unique<Shout>(); })
        .second;

}  // namespace
}  // namespace plugins

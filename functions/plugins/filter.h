#pragma once

#include <memory>
#include <string>

namespace plugins {

// What a plugin does: changes a text.
class Filter {
 public:
  virtual ~Filter() = default;
  virtual std::string Apply(std::string text) const = 0;
};

// What a plugin offers, by this type, under the name MakeFilter.
using MakeFilterFunction = std::unique_ptr<Filter>();

}  // namespace plugins

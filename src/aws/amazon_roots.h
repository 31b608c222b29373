#pragma once

#include <span>
#include <string_view>

namespace kelvin::aws {

// A certificate authority that AWS's endpoints chain up to.
struct AmazonRoot {
  std::string_view name;
  std::span<const unsigned char> der;
};

// Amazon Root CA 1 to 4 and Starfield Services Root CA G2, which Amazon's own service promises to
// use: five instead of a system's hundred and forty, which take 20 ms to load, and there on every
// machine.
std::span<const AmazonRoot> AmazonRoots();

}  // namespace kelvin::aws

#include "aws/amazon_roots.h"

namespace kelvin::aws {
namespace {

#include "aws/data/amazon_roots.inc"

}  // namespace

std::span<const AmazonRoot> AmazonRoots() {
  return kRoots;
}

}  // namespace kelvin::aws

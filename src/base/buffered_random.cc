#include "base/buffered_random.h"

#include <cstdlib>

#include <sys/random.h>

namespace kelvin {

std::uint64_t BufferedRandom::Next() {
  const std::lock_guard lock(mutex_);
  if (left_ == 0) {
    if (::getrandom(values_.data(), sizeof values_, 0) != sizeof values_) std::abort();
    left_ = values_.size();
  }
  return values_[--left_];
}

}  // namespace kelvin

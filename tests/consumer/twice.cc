#include <cstddef>

extern "C" std::size_t Count(std::size_t items) {
  return items * 2;
}

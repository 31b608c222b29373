#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include <boost/describe/class.hpp>
#include <kelvin/handler_error.h>

namespace transform {

// `size` numbers are mixed `rounds` times over.
struct Job {
  std::uint32_t size = 0;    // 1 to 4194304
  std::uint32_t rounds = 0;  // 1 to 100000
};
BOOST_DESCRIBE_STRUCT(Job, (), (size, rounds))

struct Figures {
  std::string checksum;  // 16 hexadecimal digits
  std::uint64_t steps = 0;
  std::uint32_t smallest = 0;
  std::uint32_t largest = 0;
  double mean = 0;
};
BOOST_DESCRIBE_STRUCT(Figures, (), (checksum, steps, smallest, largest, mean))

// The same job gives the same figures on every machine, however it is compiled: all of it is
// integer arithmetic. Fails with Function.BadJob when a bound is broken.
std::expected<Figures, kelvin::HandlerError> Transform(const Job& job);

// One round, in place: the loop that a compiler for the host's own CPU can make wider.
void Mix(std::vector<std::uint32_t>& numbers, std::uint32_t round);

}  // namespace transform

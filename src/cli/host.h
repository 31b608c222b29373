#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include "aws/environment.h"
#include "base/clock.h"
#include "base/ids.h"
#include "lab/table.h"

namespace kelvin::cli {

// Where a command writes: standard output or standard error.
struct Output {
  std::function<void(std::string_view text)> write;
  bool terminal = false;
  std::size_t width = 80;  // columns of the terminal, or what COLUMNS says
  int fd = -1;             // the descriptor behind `write`; -1 in tests
};

// The process around a command, as tests can make one up. What it refers to outlives it.
struct Host {
  Output out;
  Output err;
  aws::EnvironmentLookup environment;
  const Clock& clock;
  Random& random;
};

// How a command's main output is laid out: colours on a terminal unless NO_COLOR is set, Unicode
// glyphs where the locale is UTF-8.
lab::Style StyleOf(const Host& host);

// The real process. Standard output and error, the environment and the terminal's width.
Host ProcessHost(const Clock& clock, Random& random);

}  // namespace kelvin::cli

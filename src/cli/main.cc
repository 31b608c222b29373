#include <string>
#include <vector>

#include "base/buffered_random.h"
#include "base/clock.h"
#include "cli/commands.h"
#include "cli/host.h"

int main(int argc, char** argv) {
  const kelvin::SystemClock clock;
  kelvin::BufferedRandom random;
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  return kelvin::cli::RunCommand(arguments, kelvin::cli::ProcessHost(clock, random));
}

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "cli/commands.h"
#include "cli/host.h"

int main(int argc, char** argv) {
  const kelvin::SystemClock clock;
  kelvin::SystemRandom random;
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  return kelvin::cli::RunCommand(arguments, kelvin::cli::ProcessHost(clock, random));
}

// Whatever a package's bytes are, it is read or refused, and what is read can be inspected and
// reported as JSON and SARIF.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "package/inspect.h"
#include "package/inspect_report.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kelvin::package;
  const auto contents = ReadContents(std::string(reinterpret_cast<const char*>(data), size),
                                     "input", {.max_bytes = 1 << 20, .max_files = 100});
  if (!contents) return 0;
  const auto report = Inspect(*contents, {});
  if (!report) std::abort();
  if (InspectJson({&*report, 1}).empty() || InspectSarif({&*report, 1}, "0").empty()) std::abort();
  return 0;
}

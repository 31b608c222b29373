// What callers of the Lambda API write: paths, function names and ARNs, JSON bodies. Whatever is
// accepted must obey the rules, and come back as it was from what is stored.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "service/function_name.h"
#include "service/function_record.h"
#include "service/function_request.h"
#include "service/json_check.h"
#include "service/router.h"

namespace {

using namespace kelvin::service;

const Place kPlace{"us-east-1", "123456789012"};

void Check(bool promise) {
  if (!promise) std::abort();
}

void CheckConfig(const FunctionConfig& config) {
  Check(config.memory_mb >= 128 && config.memory_mb <= 10240);
  Check(config.timeout_seconds >= 1 && config.timeout_seconds <= 900);
  const auto stored = ReadStoredConfig(StoredConfig(config));
  Check(stored.has_value() && *stored == config);
}

const Machine kHost = {Architecture::kX86, Emulation::kYes};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const std::string_view method : {"GET", "POST", "PUT", "DELETE"}) {
    (void)FindRoute(method, text);
  }
  if (const auto name = ParseFunctionName(text, kPlace)) {
    Check(!name->name.empty() && name->name.size() <= 64);
    Check(name->name.find_first_of("/. \n") == std::string::npos);
    const auto again = ParseFunctionName(FunctionArn(kPlace, name->name, name->qualifier), kPlace);
    Check(again.has_value() && again->name == name->name && again->qualifier == name->qualifier);
  }
  if (const auto created = ParseCreate(text, kPlace, kHost)) {
    CheckConfig(created->config);
  }
  if (const auto changed = ParseConfiguration(text, FunctionConfig{})) {
    CheckConfig(changed->config);
  }
  (void)ParseCode(text, kHost);
  (void)CheckJson(text);
  (void)ReadStoredRecord(text);
  return 0;
}

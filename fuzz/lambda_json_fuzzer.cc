// Any bytes as an answer of Lambda, good or bad.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "aws/lambda_json.h"
#include "aws/service_error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kelvin::aws;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto function = ParseFunctionConfiguration(text);
  if (function && function->name.empty()) std::abort();
  (void)ParseGetFunction(text);
  (void)ParseListFunctions(text);
  const std::string type(text.substr(0, text.find('\n')));
  (void)ErrorFromResponse("Lambda Invoke", {400, {{"x-amzn-ErrorType", type}}, std::string(text)});
  (void)ErrorFromResponse("Lambda Invoke", {500, {}, std::string(text)});
  return 0;
}

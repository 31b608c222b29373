// Any JSON as an attribute value or an answer of DynamoDB; what is a value survives being written
// and read again.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "aws/attribute_json.h"
#include "aws/dynamodb_json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)kelvin::aws::ParseAttributes(text);
  (void)kelvin::aws::ParseGetItem(text);
  (void)kelvin::aws::ParseQuery(text);
  boost::json::error_code failure;
  const boost::json::value json = boost::json::parse(text, failure);
  if (failure) return 0;
  const auto value = kelvin::aws::AttributeValueFromJson(json);
  if (!value) return 0;
  std::string written;
  kelvin::aws::AppendJson(written, *value);
  const auto again = kelvin::aws::AttributeValueFromJson(boost::json::parse(written));
  if (!again || *again != *value) std::abort();
  return 0;
}

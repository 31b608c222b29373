// The first byte chooses the operation; the rest is the request's body. One set of tables in memory
// lives through the whole run.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/fake_clock.h"
#include "tables/tables.h"

namespace {

using namespace kelvin;

constexpr std::array<std::string_view, 18> kOperations = {
    "GetItem",      "PutItem",        "UpdateItem",         "DeleteItem",         "Query",
    "Scan",         "DescribeTable",  "ListTables",         "UpdateTimeToLive",   "CreateTable",
    "BatchGetItem", "BatchWriteItem", "TransactGetItems",   "TransactWriteItems", "UpdateTable",
    "TagResource",  "UntagResource",  "ListTagsOfResource",
};

http::Request RequestOf(std::string_view operation, std::string_view body) {
  return {"POST",
          "/",
          {{"X-Amz-Target", "DynamoDB_20120810." + std::string(operation)},
           {"Content-Type", "application/x-amz-json-1.0"},
           {"Authorization", "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=b, Signature=c"},
           {"X-Amz-Date", "20260101T000000Z"}},
          std::string(body)};
}

struct World {
  FakeClock clock;
  SystemRandom random;
  Log log{clock, LogLevel::kFatal, [](std::string_view) {}};
  std::unique_ptr<tables::Tables> tables;

  World() {
    tables = *tables::Tables::Open({clock, random, log}, {.storage = tables::Storage::kEphemeral,
                                                          .folder = {},
                                                          .background = tables::Background::kNo});
    tables->Handle(RequestOf("CreateTable", R"({"TableName":"tab","BillingMode":"PAY_PER_REQUEST",
        "AttributeDefinitions":[{"AttributeName":"k","AttributeType":"S"},
                                {"AttributeName":"s","AttributeType":"N"},
                                {"AttributeName":"l","AttributeType":"B"}],
        "KeySchema":[{"AttributeName":"k","KeyType":"HASH"},
                     {"AttributeName":"s","KeyType":"RANGE"}],
        "LocalSecondaryIndexes":[{"IndexName":"loc","KeySchema":[
            {"AttributeName":"k","KeyType":"HASH"},{"AttributeName":"l","KeyType":"RANGE"}],
            "Projection":{"ProjectionType":"KEYS_ONLY"}}],
        "GlobalSecondaryIndexes":[{"IndexName":"glo","KeySchema":[
            {"AttributeName":"l","KeyType":"HASH"},{"AttributeName":"s","KeyType":"RANGE"}],
            "Projection":{"ProjectionType":"ALL"}}]})"));
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static World world;
  if (size == 0) return 0;
  const auto response =
      world.tables->Handle(RequestOf(kOperations[data[0] % kOperations.size()],
                                     {reinterpret_cast<const char*>(data) + 1, size - 1}));
  if (response.status != 200 && response.status != 400 && response.status != 413) std::abort();
  return 0;
}

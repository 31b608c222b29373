#pragma once

#include <chrono>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/attribute_value.h"
#include "aws/credentials.h"
#include "aws/endpoint.h"
#include "aws/retry.h"
#include "aws/signed_client.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/ids.h"
#include "http/stream.h"

namespace kelvin::aws {

// What stands for names ("#n") and values (":v") in the expressions of a request.
struct ExpressionAttributes {
  std::map<std::string, std::string> names = {};
  Item values = {};
};

enum class ReturnValues { kNone, kAllOld, kUpdatedOld, kAllNew, kUpdatedNew };
enum class Consistency { kEventual, kStrong };
enum class Order { kAscending, kDescending };

// Empty texts are left out of the request.
struct PutItemInput {
  std::string table;
  Item item;
  std::string condition = {};  // "attribute_not_exists(Id)"
  ExpressionAttributes attributes = {};
  ReturnValues return_values = ReturnValues::kNone;  // or kAllOld
};

struct GetItemInput {
  std::string table;
  Item key;
  Consistency consistency = Consistency::kEventual;
  std::string projection = {};
  std::map<std::string, std::string> names = {};
};

struct UpdateItemInput {
  std::string table;
  Item key;
  std::string update;  // "SET #n = :v REMOVE x"
  std::string condition = {};
  ExpressionAttributes attributes = {};
  ReturnValues return_values = ReturnValues::kNone;
};

struct DeleteItemInput {
  std::string table;
  Item key;
  std::string condition = {};
  ExpressionAttributes attributes = {};
  ReturnValues return_values = ReturnValues::kNone;  // or kAllOld
};

struct QueryInput {
  std::string table;
  std::string key_condition;  // "Id = :id"
  std::string index = {};
  std::string filter = {};
  std::string projection = {};
  ExpressionAttributes attributes = {};
  std::optional<int> limit = std::nullopt;
  Item start_key = {};  // the last page's `last_key`
  Order order = Order::kAscending;
  Consistency consistency = Consistency::kEventual;
};

struct QueryPage {
  std::vector<Item> items;
  Item last_key;  // where the next page starts; empty on the last page
};

struct DynamoDbClientOptions {
  ServiceEndpoint endpoint;
  std::string region;
  Credentials credentials;
  RetryPolicy retry = {};
  // One attempt's share of a call, so that a dead connection leaves time for another.
  std::chrono::milliseconds attempt_timeout{5000};
};

// Credentials, region and endpoint (AWS_ENDPOINT_URL_DYNAMODB, AWS_ENDPOINT_URL, else AWS's own)
// from the environment. Fails with kInvalidArgument, naming the variable.
std::expected<DynamoDbClientOptions, Error> DynamoDbClientOptionsFromEnvironment(
    const EnvironmentLookup& lookup);

// DynamoDB over one kept-alive connection, opened at the first call. Calls that were throttled,
// failed on the service's side, timed out or lost their connection are tried again until
// `deadline`: an update that is not idempotent may then be done twice, so give it a condition, or
// one attempt. Errors of DynamoDB carry its name in Error::remote_type
// ("ConditionalCheckFailedException", with kInvalidArgument). Not thread-safe; the connector, the
// clock and the random source outlive it.
class DynamoDbClient {
 public:
  DynamoDbClient(DynamoDbClientOptions options, http::Connector& connector, const Clock& clock,
                 Random& random);

  // The item that was there before, with ReturnValues::kAllOld.
  std::expected<Item, Error> PutItem(const PutItemInput& input, Clock::TimePoint deadline);
  // Nothing when there is no such item.
  std::expected<std::optional<Item>, Error> GetItem(const GetItemInput& input,
                                                    Clock::TimePoint deadline);
  // The attributes that `return_values` asks for.
  std::expected<Item, Error> UpdateItem(const UpdateItemInput& input, Clock::TimePoint deadline);
  // The item that was there before, with ReturnValues::kAllOld.
  std::expected<Item, Error> DeleteItem(const DeleteItemInput& input, Clock::TimePoint deadline);
  // One page.
  std::expected<QueryPage, Error> Query(const QueryInput& input, Clock::TimePoint deadline);

 private:
  // The answer's body, which stays until the next call.
  std::expected<std::string_view, Error> Send(std::string_view operation, const std::string& body,
                                              Clock::TimePoint deadline);
  std::expected<std::string_view, Error> SendOnce(std::string_view operation,
                                                  const std::string& body,
                                                  Clock::TimePoint deadline);

  const Clock& clock_;
  Random& random_;
  RetryPolicy retry_;
  std::chrono::milliseconds attempt_timeout_;
  SignedClient client_;
  http::Response response_;
};

}  // namespace kelvin::aws

#include "aws/dynamodb_client.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "aws/dynamodb_json.h"
#include "aws/service_error.h"
#include "base/crc32.h"

namespace kelvin::aws {
namespace {

std::expected<void, Error> CheckCrc(const http::Response& response) {
  const std::string_view sent = response.headers.Get("x-amz-crc32");
  if (sent.empty()) return {};
  std::uint32_t expected = 0;
  const auto [end, failure] = std::from_chars(sent.data(), sent.data() + sent.size(), expected);
  const std::uint32_t actual = Crc32(response.body);
  if (failure == std::errc{} && end == sent.data() + sent.size() && expected == actual) return {};
  return std::unexpected(
      Error{ErrorCode::kCorrupt,
            fmt::format("expected an answer of CRC-32 {}, got one of {}", sent, actual)});
}

}  // namespace

std::expected<DynamoDbClientOptions, Error> DynamoDbClientOptionsFromEnvironment(
    const EnvironmentLookup& lookup) {
  auto credentials = CredentialsFromEnvironment(lookup);
  if (!credentials) return std::unexpected(std::move(credentials.error()));
  auto region = RegionFromEnvironment(lookup);
  if (!region) return std::unexpected(std::move(region.error()));
  auto endpoint = FindEndpoint("dynamodb", *region, lookup);
  if (!endpoint) return std::unexpected(std::move(endpoint.error()));
  DynamoDbClientOptions options;
  options.endpoint = std::move(*endpoint);
  options.region = std::move(*region);
  options.credentials = std::move(*credentials);
  return options;
}

DynamoDbClient::DynamoDbClient(DynamoDbClientOptions options, http::Connector& connector,
                               const Clock& clock, Random& random)
    : clock_(clock),
      random_(random),
      retry_(options.retry),
      attempt_timeout_(options.attempt_timeout),
      client_(connector, clock, std::move(options.endpoint),
              Signer(std::move(options.credentials), std::move(options.region), "dynamodb")) {}

std::expected<Item, Error> DynamoDbClient::PutItem(const PutItemInput& input,
                                                   Clock::TimePoint deadline) {
  const auto body = Send("PutItem", PutItemBody(input), deadline);
  if (!body) return std::unexpected(body.error());
  return ParseAttributes(*body);
}

std::expected<std::optional<Item>, Error> DynamoDbClient::GetItem(const GetItemInput& input,
                                                                  Clock::TimePoint deadline) {
  const auto body = Send("GetItem", GetItemBody(input), deadline);
  if (!body) return std::unexpected(body.error());
  return ParseGetItem(*body);
}

std::expected<Item, Error> DynamoDbClient::UpdateItem(const UpdateItemInput& input,
                                                      Clock::TimePoint deadline) {
  const auto body = Send("UpdateItem", UpdateItemBody(input), deadline);
  if (!body) return std::unexpected(body.error());
  return ParseAttributes(*body);
}

std::expected<Item, Error> DynamoDbClient::DeleteItem(const DeleteItemInput& input,
                                                      Clock::TimePoint deadline) {
  const auto body = Send("DeleteItem", DeleteItemBody(input), deadline);
  if (!body) return std::unexpected(body.error());
  return ParseAttributes(*body);
}

std::expected<QueryPage, Error> DynamoDbClient::Query(const QueryInput& input,
                                                      Clock::TimePoint deadline) {
  const auto body = Send("Query", QueryBody(input), deadline);
  if (!body) return std::unexpected(body.error());
  return ParseQuery(*body);
}

std::expected<std::string_view, Error> DynamoDbClient::Send(std::string_view operation,
                                                            const std::string& body,
                                                            Clock::TimePoint deadline) {
  return WithRetries(Retrier(retry_, clock_, random_, deadline),
                     [&] { return SendOnce(operation, body, deadline); });
}

std::expected<std::string_view, Error> DynamoDbClient::SendOnce(std::string_view operation,
                                                                const std::string& body,
                                                                Clock::TimePoint deadline) {
  const std::string doing = fmt::format("DynamoDB {}", operation);
  http::Headers headers{{"Content-Type", "application/x-amz-json-1.0"},
                        {"X-Amz-Target", fmt::format("DynamoDB_20120810.{}", operation)}};
  const auto attempt_deadline = std::min(deadline, clock_.Now() + attempt_timeout_);
  auto received = client_.Send("POST", "/", std::move(headers), body, response_, attempt_deadline,
                               http::Resend::kYes);
  if (received) received = CheckCrc(response_);
  if (!received) {
    received.error().message = fmt::format("{} failed: {}", doing, received.error().message);
    return std::unexpected(std::move(received.error()));
  }
  if (response_.status != 200) return std::unexpected(ErrorFromResponse(doing, response_));
  return response_.body;
}

}  // namespace kelvin::aws

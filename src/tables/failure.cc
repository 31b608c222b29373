#include "tables/failure.h"

#include <array>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tables/json_writer.h"
#include "tables/value_json.h"

namespace kelvin::tables {
namespace {

// In the order of FailureKind.
constexpr std::array<FailureForm, 17> kForms = {{
    {400, "com.amazon.coral.validate#ValidationException", "message"},
    {400, "com.amazon.coral.service#SerializationException", "Message"},
    {400, "com.amazon.coral.service#UnknownOperationException", "message"},
    {400, "com.amazon.coral.service#MissingAuthenticationTokenException", "message"},
    {400, "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException", "message"},
    {400, "com.amazonaws.dynamodb.v20120810#TableNotFoundException", "message"},
    {400, "com.amazonaws.dynamodb.v20120810#ResourceInUseException", "message"},
    {400, "com.amazonaws.dynamodb.v20120810#LimitExceededException", "message"},
    {400, "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException", "message"},
    {400, "com.amazonaws.dynamodb.v20120810#TransactionCanceledException", "Message"},
    {400, "com.amazonaws.dynamodb.v20120810#IdempotentParameterMismatchException", "Message"},
    {400, "com.amazon.coral.service#AccessDeniedException", "Message"},
    {400, "com.amazon.coral.service#IncompleteSignatureException", "message"},
    {400, "com.amazon.coral.service#InvalidSignatureException", "message"},
    {400, "com.amazon.coral.service#UnrecognizedClientException", "message"},
    {413, "com.amazon.coral.service#RequestEntityTooLargeException", "message"},
    {500, "com.amazonaws.dynamodb.v20120810#InternalServerError", "message"},
}};

void WriteReason(JsonWriter& json, const CancellationReason& reason) {
  json.BeginObject();
  json.Field("Code", reason.code);
  if (!reason.message.empty()) json.Field("Message", reason.message);
  if (reason.item) {
    json.Key("Item");
    WriteItem(json, *reason.item);
  }
  json.EndObject();
}

}  // namespace

const FailureForm& FormOf(FailureKind kind) {
  return kForms[static_cast<std::size_t>(kind)];
}

std::unexpected<Failure> Invalid(std::string message) {
  return std::unexpected(Failure{FailureKind::kValidation, std::move(message)});
}

std::unexpected<Failure> InvalidParameter(std::string_view what) {
  return Invalid(fmt::format("One or more parameter values were invalid: {}", what));
}

std::unexpected<Failure> InvalidRequest(std::string message) {
  Failure failure{FailureKind::kValidation, std::move(message)};
  failure.reach = Reach::kRequest;
  return std::unexpected(std::move(failure));
}

std::unexpected<Failure> Unserializable(std::string message) {
  return std::unexpected(Failure{FailureKind::kSerialization, std::move(message)});
}

std::unexpected<Failure> NotFound() {
  return std::unexpected(Failure{FailureKind::kResourceNotFound, "Requested resource not found"});
}

Failure FromError(const Error& error) {
  if (error.code == ErrorCode::kNotFound) return NotFound().error();
  return Failure{FailureKind::kInternalServerError, error.message};
}

Failure Canceled(std::vector<CancellationReason> reasons) {
  std::vector<std::string_view> codes;
  for (const CancellationReason& reason : reasons) codes.push_back(reason.code);
  Failure failure{
      FailureKind::kTransactionCanceled,
      fmt::format("Transaction cancelled, please refer cancellation reasons for specific reasons "
                  "[{}]",
                  fmt::join(codes, ", "))};
  failure.reasons = std::move(reasons);
  return failure;
}

std::string FailureJson(const Failure& failure) {
  const FailureForm& form = FormOf(failure.kind);
  std::string body;
  JsonWriter json(body);
  json.BeginObject();
  json.Field("__type", form.type);
  if (!failure.message.empty()) json.Field(form.message_key, failure.message);
  if (failure.item) {
    json.Key("Item");
    WriteItem(json, *failure.item);
  }
  if (!failure.reasons.empty()) {
    json.Key("CancellationReasons");
    json.BeginArray();
    for (const CancellationReason& reason : failure.reasons) WriteReason(json, reason);
    json.EndArray();
  }
  json.EndObject();
  return body;
}

}  // namespace kelvin::tables

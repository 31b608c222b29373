#include "tables/failure.h"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "tables/json_writer.h"
#include "tables/value_json.h"

namespace kelvin::tables {
namespace {

// In the order of FailureKind.
constexpr std::array<FailureForm, 10> kForms = {{
    {400, "com.amazon.coral.validate#ValidationException", "message"},
    {400, "com.amazon.coral.service#SerializationException", "Message"},
    {400, "com.amazon.coral.service#UnknownOperationException", "message"},
    {400, "com.amazon.coral.service#MissingAuthenticationTokenException", "message"},
    {400, "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException", "message"},
    {400, "com.amazonaws.dynamodb.v20120810#ResourceInUseException", "message"},
    {400, "com.amazonaws.dynamodb.v20120810#LimitExceededException", "message"},
    {400, "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException", "message"},
    {413, "com.amazon.coral.service#RequestEntityTooLargeException", "message"},
    {500, "com.amazonaws.dynamodb.v20120810#InternalServerError", "message"},
}};

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
  json.EndObject();
  return body;
}

}  // namespace kelvin::tables

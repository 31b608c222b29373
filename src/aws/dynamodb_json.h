#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "aws/dynamodb_client.h"
#include "base/error.h"

namespace kelvin::aws {

// The bodies of DynamoDB's API. Parsers take any text and fail with kCorrupt when it is not what
// DynamoDB sends.

std::string PutItemBody(const PutItemInput& input);
std::string GetItemBody(const GetItemInput& input);
std::string UpdateItemBody(const UpdateItemInput& input);
std::string DeleteItemBody(const DeleteItemInput& input);
std::string QueryBody(const QueryInput& input);

// "Attributes" of the answer to a write; empty when there are none.
std::expected<Item, Error> ParseAttributes(std::string_view body);
std::expected<std::optional<Item>, Error> ParseGetItem(std::string_view body);
std::expected<QueryPage, Error> ParseQuery(std::string_view body);

}  // namespace kelvin::aws

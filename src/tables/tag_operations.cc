#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "tables/operation.h"
#include "tables/tags.h"

namespace kelvin::tables {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxTags = 50;
constexpr std::string_view kReserved = "aws:";
constexpr std::size_t kMaxKey = 128;
constexpr std::size_t kMaxValue = 256;

// Letters of any script, digits, spaces and a few signs.
bool IsTagText(std::string_view text, std::size_t max_characters) {
  constexpr std::string_view kSigns = "+-=._:/@";
  std::size_t characters = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xc0) != 0x80) ++characters;
    const bool is_fine = byte >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                         (c >= '0' && c <= '9') || c == ' ' || (c >= '\t' && c <= '\r') ||
                         kSigns.contains(c);
    if (!is_fine) return false;
  }
  return characters <= max_characters;
}

std::unexpected<Failure> AccessDenied(const OperationContext& context, std::string_view operation,
                                      std::string_view arn) {
  return std::unexpected(Failure{
      FailureKind::kAccessDenied,
      fmt::format("User: arn:aws:iam::{}:user/kelvin is not authorized to perform: dynamodb:{} on "
                  "resource: {}",
                  context.account_id, operation, arn)});
}

// The table that the request's ResourceArn names. `check_rest` says what else is wrong with the
// request, once the ARN looks like one.
template <typename CheckRest>
Outcome<TablePtr> TaggedTable(const OperationContext& context, const Fields& fields,
                              std::string_view operation, const CheckRest& check_rest) {
  const auto arn = fields.String("ResourceArn");
  if (auto ok = fields.CheckShape(); !ok) return std::unexpected(std::move(ok.error()));
  if (!arn) return Invalid("Invalid TableArn");
  const auto invalid = [&] {
    return Invalid(fmt::format("Invalid TableArn: Invalid ResourceArn provided as input {}", *arn));
  };
  // Who may do it is asked before it is known what it is.
  if (std::ranges::count(*arn, ':') < 5 || !arn->contains('/')) {
    return AccessDenied(context, operation, arn->empty() ? "*" : *arn);
  }
  if (auto ok = check_rest(); !ok) return std::unexpected(std::move(ok.error()));
  const std::size_t table = arn->find(":table/");
  if (!arn->starts_with("arn:aws:dynamodb:") || table == std::string_view::npos) return invalid();
  const std::string_view name = arn->substr(table + 7);
  if (name.size() < 3 || name.contains('/')) return invalid();
  if (!arn->starts_with(context.arn_prefix)) return AccessDenied(context, operation, *arn);
  if (TablePtr found = context.store.FindTable(name)) return found;
  return std::unexpected(
      Failure{FailureKind::kResourceNotFound,
              fmt::format("Requested resource not found: ResourcArn: {} not found", *arn)});
}

Outcome<std::string> Changed(OperationContext& context, std::string_view table,
                             const Store::Change& change) {
  auto updated = context.store.UpdateTable(table, change);
  if (!updated) return std::unexpected(std::move(updated.error()));
  return std::string{};
}

}  // namespace

std::vector<Tag> ReadTags(const Fields& fields) {
  std::vector<Tag> tags;
  for (const Fields& tag : fields.Structs("Tags", "Tag")) {
    const auto key = tag.String("Key", Presence::kRequired);
    const auto value = tag.String("Value", Presence::kRequired);
    tags.push_back({key.value_or(""), value.value_or("")});
  }
  return tags;
}

Outcome<void> CheckTags(const std::vector<Tag>& tags,
                        const std::map<std::string, std::string>& existing) {
  std::set<std::string_view> keys;
  for (const auto& [key, value] : existing) keys.insert(key);
  std::set<std::string_view> given;
  for (const Tag& tag : tags) {
    if (tag.key.starts_with(kReserved)) {
      return Invalid(fmt::format("Tag Key cannot be prefixed with aws:, Key: {}", tag.key));
    }
    if (tag.key.empty() || !IsTagText(tag.key, kMaxKey)) {
      return Invalid(fmt::format("The Tag Key provided is invalid, Key: {}", tag.key));
    }
    if (!IsTagText(tag.value, kMaxValue)) {
      return Invalid(fmt::format("The Tag Value provided is invalid, Value: {}", tag.value));
    }
    if (!given.insert(tag.key).second) {
      return Invalid(
          fmt::format("Duplicate Tag Keys provided as input: Duplicate Tag Key found {}", tag.key));
    }
    keys.insert(tag.key);
  }
  if (keys.size() <= kMaxTags) return {};
  return Invalid("Number of Tags exceed the current limit for the provided ResourceArn");
}

Outcome<std::string> ListTagsOfResource(OperationContext& context, const json::object& body) {
  Faults faults;
  const Fields fields(body, faults);
  const auto table =
      TaggedTable(context, fields, "ListTagsOfResource", [] { return Outcome<void>{}; });
  if (!table) return std::unexpected(table.error());
  const auto& tags = (*table)->definition.tags;
  std::string answer;
  JsonWriter out(answer);
  out.BeginObject();
  out.Key("Tags");
  out.BeginArray();
  for (const auto& [key, value] : tags) {
    out.BeginObject();
    out.Field("Key", key);
    out.Field("Value", value);
    out.EndObject();
  }
  out.EndArray();
  out.EndObject();
  return answer;
}

Outcome<std::string> TagResource(OperationContext& context, const json::object& body) {
  Faults faults;
  const Fields fields(body, faults);
  const std::vector<Tag> tags = ReadTags(fields);
  const auto table = TaggedTable(context, fields, "TagResource", [&]() -> Outcome<void> {
    if (fields.Find("Tags") == nullptr) {
      return Invalid(
          "1 validation error detected: Value null at 'tags' failed to satisfy constraint: Member "
          "must not be null");
    }
    if (tags.empty()) return Invalid("Atleast one Tag needs to be provided as Input.");
    return {};
  });
  if (!table) return std::unexpected(table.error());
  return Changed(context, (*table)->definition.name,
                 [&](TableDefinition& definition) -> Outcome<void> {
                   if (auto ok = CheckTags(tags, definition.tags); !ok) return ok;
                   for (const Tag& tag : tags) definition.tags[std::string(tag.key)] = tag.value;
                   return {};
                 });
}

Outcome<std::string> UntagResource(OperationContext& context, const json::object& body) {
  Faults faults;
  const Fields fields(body, faults);
  const auto keys = fields.Strings("TagKeys", {});
  const auto table = TaggedTable(context, fields, "UntagResource", [&]() -> Outcome<void> {
    if (!keys) {
      return Invalid(
          "1 validation error detected: Value null at 'tagKeys' failed to satisfy constraint: "
          "Member must not be null");
    }
    if (keys->empty()) return Invalid("Atleast one Tag Key needs to be provided as Input.");
    return {};
  });
  if (!table) return std::unexpected(table.error());
  return Changed(context, (*table)->definition.name,
                 [&](TableDefinition& definition) -> Outcome<void> {
                   for (const std::string_view key : *keys) {
                     definition.tags.erase(std::string(key));
                   }
                   return {};
                 });
}

}  // namespace kelvin::tables

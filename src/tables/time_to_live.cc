#include <utility>

#include <fmt/format.h>

#include "tables/operation.h"

namespace kelvin::tables {
namespace {

namespace json = boost::json;

Outcome<void> Switch(TableDefinition& definition, std::string_view attribute, bool enabled) {
  auto& now = definition.time_to_live;
  if (now && now->attribute != attribute) {
    return Invalid(
        fmt::format("TimeToLive is active on a different AttributeName: current AttributeName is "
                    "{}",
                    now->attribute));
  }
  if (enabled && now) return Invalid("TimeToLive is already enabled");
  if (!enabled && !now) return Invalid("TimeToLive is already disabled");
  now = enabled ? std::optional(TimeToLive{std::string(attribute), 0}) : std::nullopt;
  return {};
}

}  // namespace

Outcome<std::string> DescribeTimeToLive(OperationContext& context, const json::object& body) {
  const auto table = NamedTable(context, body);
  if (!table) return std::unexpected(table.error());
  const auto& time_to_live = (*table)->definition.time_to_live;
  std::string answer;
  JsonWriter out(answer);
  out.BeginObject();
  out.Key("TimeToLiveDescription");
  out.BeginObject();
  out.Field("TimeToLiveStatus", time_to_live ? "ENABLED" : "DISABLED");
  if (time_to_live) out.Field("AttributeName", time_to_live->attribute);
  out.EndObject();
  out.EndObject();
  return answer;
}

Outcome<std::string> UpdateTimeToLive(OperationContext& context, const json::object& body) {
  constexpr std::size_t kMaxAttribute = 255;
  Faults faults;
  const Fields fields(body, faults);
  const std::string_view name = fields.TableName();
  const auto specification =
      fields.Struct("TimeToLiveSpecification", "TimeToLiveSpecification", Presence::kRequired);
  const auto attribute = specification
                             ? specification->StringOf({.min = 1, .max = kMaxAttribute},
                                                       "AttributeName", Presence::kRequired)
                             : std::nullopt;
  const auto enabled = specification ? specification->Boolean("Enabled") : std::nullopt;
  if (specification && specification->Find("Enabled") == nullptr) {
    faults.Constraint(std::nullopt, "timeToLiveSpecification.enabled", "Member must not be null");
  }
  if (auto ok = faults.Check(); !ok) return std::unexpected(std::move(ok.error()));
  if (!context.store.FindTable(name)) return TableNotFound(name);
  auto updated = context.store.UpdateTable(
      name, [&](TableDefinition& definition) { return Switch(definition, *attribute, *enabled); });
  if (!updated) return std::unexpected(std::move(updated.error()));
  std::string answer;
  JsonWriter out(answer);
  out.BeginObject();
  out.Key("TimeToLiveSpecification");
  out.BeginObject();
  out.Field("AttributeName", *attribute);
  out.Key("Enabled");
  out.Boolean(*enabled);
  out.EndObject();
  out.EndObject();
  return answer;
}

}  // namespace kelvin::tables

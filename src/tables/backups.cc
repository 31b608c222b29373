#include <fmt/format.h>

#include "tables/operation.h"

namespace kelvin::tables {
namespace {

namespace json = boost::json;

Outcome<void> CheckTable(const OperationContext& context, std::string_view name) {
  if (context.store.FindTable(name)) return {};
  return std::unexpected(
      Failure{FailureKind::kTableNotFound, fmt::format("Table not found: {}", name)});
}

// As of a table in AWS that nobody has changed: tools that manage tables read it.
std::string Description() {
  std::string answer;
  JsonWriter out(answer);
  out.BeginObject();
  out.Key("ContinuousBackupsDescription");
  out.BeginObject();
  out.Field("ContinuousBackupsStatus", "ENABLED");
  out.Key("PointInTimeRecoveryDescription");
  out.BeginObject();
  out.Field("PointInTimeRecoveryStatus", "DISABLED");
  out.EndObject();
  out.EndObject();
  out.EndObject();
  return answer;
}

}  // namespace

Outcome<std::string> DescribeContinuousBackups(OperationContext& context,
                                               const json::object& body) {
  Faults faults;
  const std::string_view name = Fields(body, faults).TableName();
  if (auto ok = faults.Check(); !ok) return std::unexpected(std::move(ok.error()));
  if (auto ok = CheckTable(context, name); !ok) return std::unexpected(std::move(ok.error()));
  return Description();
}

Outcome<std::string> UpdateContinuousBackups(OperationContext& context, const json::object& body) {
  Faults faults;
  const Fields fields(body, faults);
  const std::string_view name = fields.TableName();
  const auto recovery = fields.Struct("PointInTimeRecoverySpecification",
                                      "PointInTimeRecoverySpecification", Presence::kRequired);
  const bool enabled = recovery && recovery->Boolean("PointInTimeRecoveryEnabled").value_or(false);
  if (auto ok = faults.Check(); !ok) return std::unexpected(std::move(ok.error()));
  if (auto ok = CheckTable(context, name); !ok) return std::unexpected(std::move(ok.error()));
  if (!enabled) return Description();
  return Invalid(
      "Point-in-time recovery is not supported by these local tables; copy their folder, or use "
      "'kelvin tables export'");
}

}  // namespace kelvin::tables

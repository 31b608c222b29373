#include "lab/report_line.h"

#include <charconv>
#include <cmath>
#include <limits>

#include <boost/json.hpp>
#include <fmt/format.h>

namespace kelvin::lab {
namespace {

namespace json = boost::json;

constexpr std::string_view kPrefix = "REPORT ";
constexpr std::string_view kRequestId = "RequestId: ";

Error Malformed(std::string_view expected, std::string_view line) {
  constexpr std::size_t kShown = 160;
  return Error{ErrorCode::kCorrupt, fmt::format("expected {} in a REPORT line, got '{}'", expected,
                                                line.substr(0, kShown))};
}

std::optional<double> ParseNumber(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (!std::isfinite(value) || value < 0) return std::nullopt;
  return value;
}

// "2.37 ms" with its unit taken off.
std::optional<double> ParseQuantity(std::string_view text, std::string_view unit) {
  if (!text.ends_with(unit)) return std::nullopt;
  text.remove_suffix(unit.size());
  return ParseNumber(text);
}

std::optional<int> ToInt(std::optional<double> value) {
  if (!value || *value > std::numeric_limits<int>::max()) return std::nullopt;
  return static_cast<int>(*value);
}

std::optional<std::int64_t> ToInt64(std::optional<double> value) {
  constexpr double kLimit = 9e15;  // beyond it a double no longer holds every whole number
  if (!value || *value > kLimit) return std::nullopt;
  return static_cast<std::int64_t>(*value);
}

// The fields every report has, as they are collected from either format.
struct Fields {
  std::optional<double> duration_ms;
  std::optional<std::int64_t> billed_ms;
  std::optional<int> memory_mb;
  std::optional<int> max_memory_mb;
};

std::expected<Report, Error> Finish(Report report, const Fields& fields, std::string_view line) {
  if (report.request_id.empty()) return std::unexpected(Malformed("a RequestId", line));
  if (!fields.duration_ms) return std::unexpected(Malformed("a Duration in ms", line));
  if (!fields.billed_ms) return std::unexpected(Malformed("a Billed Duration in ms", line));
  if (!fields.memory_mb) return std::unexpected(Malformed("a Memory Size in MB", line));
  if (!fields.max_memory_mb) return std::unexpected(Malformed("a Max Memory Used in MB", line));
  report.duration_ms = *fields.duration_ms;
  report.billed_ms = *fields.billed_ms;
  report.memory_mb = *fields.memory_mb;
  report.max_memory_mb = *fields.max_memory_mb;
  report.text = line;
  return report;
}

std::expected<Report, Error> ParseText(std::string_view line) {
  Report report;
  Fields fields;
  std::string_view rest = line.substr(kPrefix.size());
  while (!rest.empty()) {
    const std::string_view field = rest.substr(0, rest.find('\t'));
    rest.remove_prefix(std::min(field.size() + 1, rest.size()));
    const std::size_t colon = field.find(": ");
    if (colon == std::string_view::npos) continue;
    const std::string_view name = field.substr(0, colon);
    const std::string_view value = field.substr(colon + 2);
    if (name == "RequestId") report.request_id = value;
    if (name == "Duration") fields.duration_ms = ParseQuantity(value, " ms");
    if (name == "Billed Duration") fields.billed_ms = ToInt64(ParseQuantity(value, " ms"));
    if (name == "Memory Size") fields.memory_mb = ToInt(ParseQuantity(value, " MB"));
    if (name == "Max Memory Used") fields.max_memory_mb = ToInt(ParseQuantity(value, " MB"));
    if (name == "Status") report.status = value;
    if (name == "Error Type") report.error_type = value;
    if (name == "Init Duration") {
      report.init_ms = ParseQuantity(value, " ms");
      if (!report.init_ms) return std::unexpected(Malformed("an Init Duration in ms", line));
    }
  }
  return Finish(std::move(report), fields, line);
}

std::optional<double> NumberAt(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  const double number = value->to_number<double>();
  if (!std::isfinite(number) || number < 0) return std::nullopt;
  return number;
}

std::string TextAt(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

const json::object* ObjectAt(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value == nullptr ? nullptr : value->if_object();
}

std::expected<Report, Error> ParseJson(std::string_view line) {
  boost::system::error_code error;
  const json::value document = json::parse(json::string_view(line.data(), line.size()), error);
  if (error || !document.is_object()) return std::unexpected(Malformed("a JSON object", line));
  if (TextAt(document.get_object(), "type") != "platform.report") {
    return std::unexpected(Malformed("the type platform.report", line));
  }
  const json::object* record = ObjectAt(document.get_object(), "record");
  const json::object* metrics = record == nullptr ? nullptr : ObjectAt(*record, "metrics");
  if (metrics == nullptr) return std::unexpected(Malformed("record.metrics", line));
  Report report;
  report.request_id = TextAt(*record, "requestId");
  report.status = TextAt(*record, "status");
  if (report.status == "success") report.status.clear();
  report.error_type = TextAt(*record, "errorType");
  report.init_ms = NumberAt(*metrics, "initDurationMs");
  const Fields fields{.duration_ms = NumberAt(*metrics, "durationMs"),
                      .billed_ms = ToInt64(NumberAt(*metrics, "billedDurationMs")),
                      .memory_mb = ToInt(NumberAt(*metrics, "memorySizeMB")),
                      .max_memory_mb = ToInt(NumberAt(*metrics, "maxMemoryUsedMB"))};
  return Finish(std::move(report), fields, line);
}

bool LooksLikeReportOf(std::string_view line, std::string_view request_id) {
  if (line.starts_with(kPrefix)) {
    line.remove_prefix(kPrefix.size());
    if (!line.starts_with(kRequestId)) return false;
    line.remove_prefix(kRequestId.size());
    return line.starts_with(request_id);
  }
  return line.starts_with('{') && line.find("platform.report") != std::string_view::npos &&
         line.find(request_id) != std::string_view::npos;
}

}  // namespace

std::expected<Report, Error> ParseReport(std::string_view line) {
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  if (line.starts_with(kPrefix)) return ParseText(line);
  if (line.starts_with('{')) return ParseJson(line);
  return std::unexpected(Malformed("a line that starts with 'REPORT ' or '{'", line));
}

std::expected<Report, Error> FindReport(std::string_view log_tail, std::string_view request_id) {
  std::string_view rest = log_tail;
  while (!rest.empty()) {
    if (rest.ends_with('\n')) rest.remove_suffix(1);
    const std::size_t line_break = rest.rfind('\n');
    const std::size_t start = line_break == std::string_view::npos ? 0 : line_break + 1;
    const std::string_view line = rest.substr(start);
    if (LooksLikeReportOf(line, request_id)) {
      auto report = ParseReport(line);
      if (!report || report->request_id == request_id) return report;
    }
    rest = rest.substr(0, start);
  }
  return std::unexpected(
      Error{ErrorCode::kNotFound,
            fmt::format("expected a REPORT line of request {} in the log tail of {} "
                        "bytes, found none",
                        request_id, log_tail.size())});
}

}  // namespace kelvin::lab

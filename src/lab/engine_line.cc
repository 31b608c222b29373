#include "lab/engine_line.h"

#include <cmath>

#include <boost/json.hpp>

namespace kelvin::lab {
namespace {

namespace json = boost::json;

constexpr std::string_view kPrefix = "KELVIN_ENGINE ";
constexpr double kLargestCount = 9e15;  // beyond it a double no longer holds every whole number

double NumberAt(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr || !value->is_number()) return 0;
  const double number = value->to_number<double>();
  return std::isfinite(number) && number >= 0 ? number : 0;
}

std::int64_t CountAt(const json::object& object, std::string_view key) {
  return static_cast<std::int64_t>(std::min(NumberAt(object, key), kLargestCount));
}

std::optional<EngineCounters> Parse(std::string_view text) {
  boost::system::error_code error;
  const json::value document = json::parse(json::string_view(text.data(), text.size()), error);
  const json::object* object = error ? nullptr : document.if_object();
  if (object == nullptr) return std::nullopt;
  const json::value* mode = object->if_contains("mode");
  if (mode == nullptr || !mode->is_string()) return std::nullopt;
  return EngineCounters{.mode = std::string(mode->get_string()),
                        .load_ms = NumberAt(*object, "loadMs"),
                        .tier0_functions = CountAt(*object, "tier0Functions"),
                        .tier0_ms = NumberAt(*object, "tier0Ms"),
                        .tier1_functions = CountAt(*object, "tier1Functions"),
                        .tier1_ms = NumberAt(*object, "tier1Ms"),
                        .image_hits = CountAt(*object, "imageHits"),
                        .image_misses = CountAt(*object, "imageMisses")};
}

}  // namespace

std::optional<EngineCounters> FindEngineLine(std::string_view log_tail) {
  while (!log_tail.empty()) {
    const std::size_t found = log_tail.rfind(kPrefix);
    if (found == std::string_view::npos) return std::nullopt;
    const std::string_view line = log_tail.substr(found, log_tail.find('\n', found) - found);
    const bool at_start = found == 0 || log_tail[found - 1] == '\n';
    if (at_start) {
      if (auto counters = Parse(line.substr(kPrefix.size()))) return counters;
    }
    log_tail = log_tail.substr(0, found);
  }
  return std::nullopt;
}

}  // namespace kelvin::lab

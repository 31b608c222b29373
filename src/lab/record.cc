#include "lab/record.h"

namespace kelvin::lab {
namespace {

namespace json = boost::json;

// An array with each element on a line of its own: readable, and a diff of two records shows what
// differs, at a fraction of the size of full indentation.
void AppendLines(const json::array& array, std::string& out) {
  out += "[";
  for (std::size_t i = 0; i < array.size(); ++i) {
    out += i == 0 ? "\n    " : ",\n    ";
    out += json::serialize(array[i]);
  }
  out += array.empty() ? "]" : "\n  ]";
}

}  // namespace

std::string_view SampleKindName(SampleKind kind) {
  switch (kind) {
    case SampleKind::kCold:
      return "cold";
    case SampleKind::kWarmUp:
      return "warm_up";
    case SampleKind::kWarm:
      return "warm";
  }
  return "unknown";
}

std::string_view OutcomeName(Outcome outcome) {
  switch (outcome) {
    case Outcome::kOk:
      return "ok";
    case Outcome::kFailed:
      return "failed";
    case Outcome::kRejected:
      return "rejected";
  }
  return "unknown";
}

void tag_invoke(json::value_from_tag, json::value& json, SampleKind kind) {
  json = SampleKindName(kind);
}

void tag_invoke(json::value_from_tag, json::value& json, Outcome outcome) {
  json = OutcomeName(outcome);
}

std::string RecordJson(const Record& record) {
  const json::value document = json::value_from(record);
  std::string out = "{";
  bool first = true;
  for (const auto& [key, value] : document.get_object()) {
    out += first ? "\n  " : ",\n  ";
    first = false;
    out += json::serialize(key);
    out += ": ";
    if (value.is_array()) {
      AppendLines(value.get_array(), out);
    } else {
      out += json::serialize(value);
    }
  }
  out += "\n}\n";
  return out;
}

}  // namespace kelvin::lab

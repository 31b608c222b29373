#include "lab/record_reader.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <type_traits>

#include <boost/mp11.hpp>
#include <fmt/format.h>

#include "lab/journal.h"
#include "lab/report_line.h"

namespace kelvin::lab {
namespace {

namespace json = boost::json;

// Walks a document; throws Error, which ParseRecord turns into its result.
[[noreturn]] void Fail(std::string_view path, std::string_view expected, std::string_view got) {
  throw Error{ErrorCode::kCorrupt, fmt::format("expected {} at {}, got {}", expected, path, got)};
}

std::string Shown(const json::value& value) {
  constexpr std::size_t kShown = 60;
  const std::string text = json::serialize(value);
  return text.size() <= kShown ? text : text.substr(0, kShown) + "...";
}

void Read(const json::value& value, const std::string& path, std::string& out) {
  if (!value.is_string()) Fail(path, "a string", Shown(value));
  out = value.get_string();
}

void Read(const json::value& value, const std::string& path, double& out) {
  if (!value.is_number()) Fail(path, "a number", Shown(value));
  out = value.to_number<double>();
  if (!(out >= 0) || std::isinf(out)) {
    Fail(path, "a number that is not negative and not too large", Shown(value));
  }
}

template <typename Integer>
  requires std::is_integral_v<Integer>
void Read(const json::value& value, const std::string& path, Integer& out) {
  boost::system::error_code error;
  out = value.is_number() ? value.to_number<Integer>(error) : Integer{};
  if (!value.is_number() || error || std::cmp_less(out, 0)) {
    Fail(path, "a whole number that is not negative and fits", Shown(value));
  }
}

void Read(const json::value& value, const std::string& path, SampleKind& out) {
  for (const SampleKind kind : {SampleKind::kCold, SampleKind::kWarmUp, SampleKind::kWarm}) {
    if (value.is_string() && value.get_string() == SampleKindName(kind)) {
      out = kind;
      return;
    }
  }
  Fail(path, "cold, warm_up or warm", Shown(value));
}

void Read(const json::value& value, const std::string& path, Outcome& out) {
  for (const Outcome outcome : {Outcome::kOk, Outcome::kFailed, Outcome::kRejected}) {
    if (value.is_string() && value.get_string() == OutcomeName(outcome)) {
      out = outcome;
      return;
    }
  }
  Fail(path, "ok, failed or rejected", Shown(value));
}

template <typename T>
  requires boost::describe::has_describe_members<T>::value
void Read(const json::value& value, const std::string& path, T& out);

template <typename T>
void Read(const json::value& value, const std::string& path, std::optional<T>& out) {
  if (value.is_null()) {
    out.reset();
  } else {
    Read(value, path, out.emplace());
  }
}

template <typename T>
void Read(const json::value& value, const std::string& path, std::vector<T>& out) {
  if (!value.is_array()) Fail(path, "an array", Shown(value));
  out.clear();
  out.reserve(value.get_array().size());
  for (const json::value& element : value.get_array()) {
    const std::string place = fmt::format("{}[{}]", path, out.size());
    Read(element, place, out.emplace_back());
  }
}

template <typename T>
  requires boost::describe::has_describe_members<T>::value
void Read(const json::value& value, const std::string& path, T& out) {
  if (!value.is_object()) Fail(path, "an object", Shown(value));
  using Members = boost::describe::describe_members<T, boost::describe::mod_public>;
  boost::mp11::mp_for_each<Members>([&](auto member) {
    const json::value* found = value.get_object().if_contains(member.name);
    if (found == nullptr) Fail(path, fmt::format("the key {}", member.name), "none");
    Read(*found, fmt::format("{}.{}", path, member.name), out.*member.pointer);
  });
}

json::value ParseJson(std::string_view text, std::string_view what) {
  boost::system::error_code error;
  json::value document = json::parse(json::string_view(text.data(), text.size()), error);
  if (error) {
    throw Error{ErrorCode::kCorrupt,
                fmt::format("expected {}, got {} bytes that are not whole JSON ({}): the file was "
                            "cut short or is something else",
                            what, text.size(), error.message())};
  }
  return document;
}

void CheckVersion(const json::value& document) {
  const json::object* object = document.if_object();
  const json::value* version = object == nullptr ? nullptr : object->if_contains("schema_version");
  if (version == nullptr) {
    throw Error{ErrorCode::kCorrupt,
                "expected a record of 'kelvin compare' (a JSON object with schema_version), got "
                "other JSON"};
  }
  if (*version != kSchemaVersion) {
    throw Error{ErrorCode::kCorrupt,
                fmt::format("expected a record of schema version {}, got version {}: read it with "
                            "the kelvin that wrote it, or measure again with the command in it",
                            kSchemaVersion, Shown(*version))};
  }
}

// A record speaks for itself only as long as its figures are those that Lambda reported.
void CheckAgainstReport(const Sample& sample, const std::string& path) {
  if (sample.report.empty()) return;
  const auto report = ParseReport(sample.report);
  if (!report) Fail(path + ".report", "a REPORT line", report.error().message);
  const bool same = report->duration_ms == sample.duration_ms &&
                    report->init_ms == sample.init_ms && report->billed_ms == sample.billed_ms &&
                    report->max_memory_mb == sample.max_memory_mb &&
                    report->request_id == sample.request_id;
  if (same) return;
  Fail(path, "the figures of its own REPORT line", "others: the record was edited");
}

void Check(const Record& record) {
  for (std::size_t i = 0; i < record.samples.size(); ++i) {
    const Sample& sample = record.samples[i];
    const std::string path = fmt::format("$.samples[{}]", i);
    if (sample.function >= record.functions.size()) {
      Fail(path + ".function", fmt::format("an index below {}", record.functions.size()),
           std::to_string(sample.function));
    }
    if (sample.outcome == Outcome::kOk && sample.report.empty()) {
      Fail(path + ".report", "the REPORT line of a sample that counts", "none");
    }
    if (sample.kind == SampleKind::kCold && sample.outcome == Outcome::kOk && !sample.init_ms) {
      Fail(path + ".init_ms", "the init of a cold start", "none");
    }
    CheckAgainstReport(sample, path);
  }
}

// One line of a journal after the first.
void Apply(const json::value& line, const std::string& path, Record& record) {
  const json::object* object = line.if_object();
  if (object != nullptr && object->contains("functions")) {
    return Read(object->at("functions"), path + ".functions", record.functions);
  }
  Read(line, path, record.samples.emplace_back());
}

Record ReadJournal(std::string_view text) {
  Record record;
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const bool whole = end != std::string_view::npos;
    if (!whole && number > 0) break;  // the line that was being written
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(whole ? end + 1 : text.size());
    const std::string path = fmt::format("line {}", ++number);
    const json::value document = ParseJson(line, "a line of a journal at " + path);
    if (number > 1) {
      Apply(document, path, record);
      continue;
    }
    CheckVersion(document.at("journal_of"));
    Read(document.at("journal_of"), path, record);
  }
  return record;
}

}  // namespace

std::expected<Record, Error> ParseRecord(std::string_view text) {
  try {
    Record record;
    if (text.starts_with(kJournalStart)) {
      record = ReadJournal(text);
    } else {
      const json::value document = ParseJson(text, "a record of 'kelvin compare'");
      CheckVersion(document);
      Read(document, "$", record);
    }
    Check(record);
    return record;
  } catch (Error& error) {
    return std::unexpected(std::move(error));
  }
}

}  // namespace kelvin::lab

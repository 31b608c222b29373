#include "tables/json_writer.h"

#include <iterator>

#include <fmt/format.h>

#include "base/json_escape.h"

namespace kelvin::tables {

void JsonWriter::Separate() {
  if (needs_comma_) out_ += ',';
  needs_comma_ = true;
}

void JsonWriter::Open(char bracket) {
  Separate();
  out_ += bracket;
  needs_comma_ = false;
}

void JsonWriter::Close(char bracket) {
  out_ += bracket;
  needs_comma_ = true;
}

void JsonWriter::Key(std::string_view name) {
  String(name);
  out_ += ':';
  needs_comma_ = false;
}

void JsonWriter::String(std::string_view text) {
  Separate();
  out_ += '"';
  std::size_t written = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!NeedsJsonEscape(text[i])) continue;
    out_.append(text, written, i - written);
    AppendJsonEscape(out_, text[i]);
    written = i + 1;
  }
  out_.append(text, written);
  out_ += '"';
}

void JsonWriter::Integer(std::int64_t value) {
  Separate();
  fmt::format_to(std::back_inserter(out_), "{}", value);
}

void JsonWriter::Boolean(bool value) {
  Separate();
  out_ += value ? "true" : "false";
}

void JsonWriter::Decimal(double value) {
  Separate();
  std::string text = fmt::format("{:.3f}", value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  out_ += text;
}

void JsonWriter::Raw(std::string_view json) {
  Separate();
  out_ += json;
}

void JsonWriter::Quoted(std::string_view needs_no_escape) {
  Separate();
  out_ += '"';
  out_ += needs_no_escape;
  out_ += '"';
}

}  // namespace kelvin::tables

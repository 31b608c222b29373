#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kelvin::tables {

// Appends JSON text to a string, commas included. The caller keeps the nesting right; `out`
// outlives the object.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  void BeginObject() { Open('{'); }
  void EndObject() { Close('}'); }
  void BeginArray() { Open('['); }
  void EndArray() { Close(']'); }
  void Key(std::string_view name);

  void String(std::string_view text);
  void Integer(std::int64_t value);
  void Boolean(bool value);
  // A number of the form that `value` rounded to three decimals has: 1.5, 2.
  void Decimal(double value);
  // Text that is JSON already, or a JSON string's inside that needs no escape.
  void Raw(std::string_view json);
  void Quoted(std::string_view needs_no_escape);

  void Field(std::string_view name, std::string_view text) {
    Key(name);
    String(text);
  }
  void Field(std::string_view name, std::int64_t value) {
    Key(name);
    Integer(value);
  }

  // The text so far, for writers that append to it directly: call Separate first.
  std::string& out() { return out_; }
  void Separate();

 private:
  void Open(char bracket);
  void Close(char bracket);

  std::string& out_;
  bool needs_comma_ = false;
};

}  // namespace kelvin::tables

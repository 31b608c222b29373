#include "kelvin/json.h"

#include <vector>

#include <boost/json/parser.hpp>
#include <boost/json/serializer.hpp>
#include <fmt/format.h>

namespace kelvin::json {
namespace {

constexpr std::string_view kErrorType = "Runtime.UnmarshalError";
constexpr std::size_t kMaxDepth = 256;
constexpr std::size_t kShownBytes = 64;

void AppendPath(std::string& out, const Path& path) {
  if (path.parent == nullptr) {
    out += '$';
    return;
  }
  AppendPath(out, *path.parent);
  if (path.key.data() != nullptr) {
    out.append(".").append(path.key);
  } else {
    out += fmt::format("[{}]", path.index);
  }
}

// The start of `text`, cut between UTF-8 sequences.
std::string Shown(std::string_view text) {
  if (text.size() <= kShownBytes) return std::string(text);
  std::size_t end = kShownBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "...";
}

std::string Description(const boost::json::value* came) {
  if (came == nullptr) return "nothing";
  switch (came->kind()) {
    case boost::json::kind::null:
      return "null";
    case boost::json::kind::bool_:
      return came->get_bool() ? "true" : "false";
    case boost::json::kind::int64:
      return fmt::format("{}", came->get_int64());
    case boost::json::kind::uint64:
      return fmt::format("{}", came->get_uint64());
    case boost::json::kind::double_:
      return fmt::format("{}", came->get_double());
    case boost::json::kind::string:
      return fmt::format("the string \"{}\"", Shown(std::string_view(came->get_string().data(),
                                                                     came->get_string().size())));
    case boost::json::kind::array:
      return fmt::format("an array of {}", came->get_array().size());
    case boost::json::kind::object:
      return fmt::format("an object of {} members", came->get_object().size());
  }
  return "nothing";
}

// Whole numbers written as 3.0 or 1e3 are integers to JSON's users. Beyond 2^53 a double no longer
// says which integer was meant.
std::optional<std::int64_t> WholeDouble(const boost::json::value& json) {
  constexpr double kExact = 9007199254740992.0;
  const double* number = json.if_double();
  if (number == nullptr || !(*number >= -kExact && *number <= kExact)) return std::nullopt;
  const auto whole = static_cast<std::int64_t>(*number);
  if (static_cast<double>(whole) != *number) return std::nullopt;
  return whole;
}

HandlerError UnmarshalError(std::string message) {
  return HandlerError{std::string(kErrorType), std::move(message), {}, {}};
}

}  // namespace

bool Mismatch::Note(const Path& path, std::string_view expected, const boost::json::value* came) {
  std::string message;
  AppendPath(message, path);
  message.append(": expected ").append(expected).append(", got ").append(Description(came));
  error_ = UnmarshalError(std::move(message));
  return false;
}

bool Mismatch::NoteInteger(const Path& path, std::int64_t low, std::uint64_t high,
                           const boost::json::value& came) {
  return Note(path, fmt::format("an integer from {} to {}", low, high), &came);
}

std::optional<std::int64_t> SignedWithin(const boost::json::value& json, std::int64_t low,
                                         std::int64_t high) {
  std::optional<std::int64_t> number = WholeDouble(json);
  // Boost.JSON makes uint64 only of what does not fit int64.
  if (const std::int64_t* integer = json.if_int64()) number = *integer;
  if (!number || *number < low || *number > high) return std::nullopt;
  return number;
}

std::optional<std::uint64_t> UnsignedWithin(const boost::json::value& json, std::uint64_t high) {
  std::optional<std::uint64_t> number;
  if (const std::uint64_t* integer = json.if_uint64()) {
    number = *integer;
  } else if (const auto whole = SignedWithin(json, 0, std::numeric_limits<std::int64_t>::max())) {
    number = static_cast<std::uint64_t>(*whole);
  }
  if (!number || *number > high) return std::nullopt;
  return number;
}

bool ReadUuid(const boost::json::value& json, Uuid& out) {
  const boost::json::string* text = json.if_string();
  if (text == nullptr) return false;
  const auto parsed = Uuid::Parse(std::string_view(text->data(), text->size()));
  if (!parsed) return false;
  out = *parsed;
  return true;
}

std::expected<boost::json::value, HandlerError> Parse(std::string_view text,
                                                      boost::json::storage_ptr storage) {
  boost::json::parse_options options;
  options.max_depth = kMaxDepth;
  unsigned char room[1024];
  boost::json::parser parser({}, options, room, sizeof room);
  parser.reset(std::move(storage));
  boost::json::error_code failure;
  const std::size_t used = parser.write_some(text.data(), text.size(), failure);
  if (failure || used != text.size()) {
    const std::string_view rest = text.substr(std::min(used, text.size()));
    const std::string came =
        rest.empty() ? (text.empty() ? "nothing" : "its end") : fmt::format("'{}'", Shown(rest));
    return std::unexpected(UnmarshalError(
        fmt::format("$: expected JSON, got {} at byte {}{}{}", came, used, failure ? ": " : "",
                    failure ? failure.message() : std::string())));
  }
  return parser.release();
}

std::string Serialize(const boost::json::value& json) {
  boost::json::serializer serializer;
  serializer.reset(&json);
  std::string out;
  char chunk[4096];
  while (!serializer.done()) {
    const boost::json::string_view piece = serializer.read(chunk, sizeof chunk);
    out.append(piece.data(), piece.size());
  }
  return out;
}

}  // namespace kelvin::json

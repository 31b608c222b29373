#include "cli/payload.h"

#include <filesystem>
#include <optional>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/file.h"

namespace kelvin::cli {
namespace {

constexpr std::size_t kMaxPayloadBytes = 6'291'456;  // Lambda's, for synchronous invokes

// Why `text` is not JSON, or none.
std::optional<std::string> Fault(std::string_view text) {
  boost::json::stream_parser parser;
  boost::system::error_code error;
  const std::size_t read = parser.write_some(text.data(), text.size(), error);
  if (!error) {
    const std::string_view rest = text.substr(read);
    if (rest.find_first_not_of(" \t\r\n") != std::string_view::npos) {
      return fmt::format("more text after the end of the document at byte {}", read);
    }
    parser.finish(error);
  }
  if (!error) return std::nullopt;
  return fmt::format("{} at byte {}", error.message(), read);
}

}  // namespace

std::expected<std::string, Error> ReadJsonFile(const std::string& path) {
  auto text = ReadFile(path, kMaxPayloadBytes);
  if (!text) return text;
  if (const auto fault = Fault(*text)) {
    return std::unexpected(Error{ErrorCode::kInvalidArgument,
                                 fmt::format("expected JSON in {}, got {}", path, *fault)});
  }
  return text;
}

std::expected<std::string, Error> ReadPayload(const std::string& json_or_path) {
  const auto fault = Fault(json_or_path);
  if (!fault) return json_or_path;
  std::error_code ignored;
  if (std::filesystem::exists(json_or_path, ignored)) return ReadJsonFile(json_or_path);
  return std::unexpected(
      Error{ErrorCode::kInvalidArgument,
            fmt::format("expected --payload to be JSON or the path of a file with JSON, got '{}': "
                        "no such file, and as JSON it has {}",
                        json_or_path.substr(0, 80), *fault)});
}

}  // namespace kelvin::cli

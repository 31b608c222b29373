#include "cli/payload.h"

#include <filesystem>
#include <optional>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/file.h"
#include "cli/example_events.h"

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

std::expected<std::string, Error> Example(const std::string& name) {
  if (const ExampleEvent* const event = FindExampleEvent(name)) return std::string(event->json);
  return std::unexpected(Error{ErrorCode::kInvalidArgument, NoSuchExample(name)});
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

std::expected<std::string, Error> ReadPayload(const std::string& argument) {
  if (argument.starts_with(kExamplePrefix)) {
    return Example(argument.substr(kExamplePrefix.size()));
  }
  const auto fault = Fault(argument);
  if (!fault) return argument;
  std::error_code ignored;
  if (std::filesystem::exists(argument, ignored)) return ReadJsonFile(argument);
  return std::unexpected(Error{
      ErrorCode::kInvalidArgument,
      fmt::format(
          "expected --payload to be JSON, the path of a file with JSON, or example:NAME, got '{}': "
          "no such file, and as JSON it has {}",
          argument.substr(0, 80), *fault)});
}

}  // namespace kelvin::cli

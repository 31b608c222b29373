#include "aws/event_stream.h"

#include <cstdint>

#include "base/crc32.h"

namespace kelvin::aws {
namespace {

constexpr char kStringType = 7;
constexpr std::size_t kPreludeBytes = 12;
constexpr std::size_t kChecksumBytes = 4;

void AppendBigEndian(std::uint64_t value, int bytes, std::string& out) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(value >> shift & 0xff));
  }
}

}  // namespace

void AppendEvent(const EventMessage& message, std::string& out) {
  std::string headers;
  for (const auto& [name, value] : message.headers) {
    AppendBigEndian(name.size(), 1, headers);
    headers.append(name).push_back(kStringType);
    AppendBigEndian(value.size(), 2, headers);
    headers.append(value);
  }
  const std::size_t start = out.size();
  AppendBigEndian(kPreludeBytes + headers.size() + message.payload.size() + kChecksumBytes, 4, out);
  AppendBigEndian(headers.size(), 4, out);
  AppendBigEndian(Crc32(std::string_view(out).substr(start)), 4, out);
  out.append(headers).append(message.payload);
  AppendBigEndian(Crc32(std::string_view(out).substr(start)), 4, out);
}

}  // namespace kelvin::aws

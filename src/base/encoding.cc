#include "base/encoding.h"

#include <array>
#include <cstdint>

#include <fmt/format.h>

namespace kelvin {
namespace {

constexpr std::string_view kHexLower = "0123456789abcdef";
constexpr std::string_view kHexUpper = "0123456789ABCDEF";
constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<std::int8_t, 256> kBase64Value = [] {
  std::array<std::int8_t, 256> values{};
  values.fill(-1);
  for (std::size_t i = 0; i < kBase64.size(); ++i) {
    values[static_cast<unsigned char>(kBase64[i])] = static_cast<std::int8_t>(i);
  }
  return values;
}();

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool IsUnreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.' || c == '~';
}

Error BadBase64(std::string_view what) {
  return Error{ErrorCode::kInvalidArgument, fmt::format("expected base64, got {}", what)};
}

}  // namespace

std::string HexEncode(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += kHexLower[byte >> 4];
    out += kHexLower[byte & 15];
  }
  return out;
}

std::string Base64Encode(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : bytes) {
    bits = bits << 8 | static_cast<unsigned char>(c);
    if (++count == 3) {
      for (int shift = 18; shift >= 0; shift -= 6) out += kBase64[bits >> shift & 63];
      bits = 0;
      count = 0;
    }
  }
  if (count == 1) {
    out += kBase64[bits >> 2 & 63];
    out += kBase64[bits << 4 & 63];
    out += "==";
  } else if (count == 2) {
    out += kBase64[bits >> 10 & 63];
    out += kBase64[bits >> 4 & 63];
    out += kBase64[bits << 2 & 63];
    out += '=';
  }
  return out;
}

std::expected<std::string, Error> Base64Decode(std::string_view text) {
  if (text.size() % 4 != 0) {
    return std::unexpected(
        BadBase64(fmt::format("{} characters, which is no multiple of 4", text.size())));
  }
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  const std::string_view digits = text.substr(0, text.size() - padding);
  std::string out;
  out.reserve(text.size() / 4 * 3);
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : digits) {
    const int value = kBase64Value[static_cast<unsigned char>(c)];
    if (value < 0) return std::unexpected(BadBase64(fmt::format("the byte 0x{:02x}", c & 0xff)));
    bits = (bits << 6 | static_cast<std::uint32_t>(value)) & 0xffffff;
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>(bits >> count & 0xff);
    }
  }
  if ((bits & ((1U << count) - 1)) != 0) return std::unexpected(BadBase64("stray final bits"));
  return out;
}

std::string PercentEncode(std::string_view text, Slash slash) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (IsUnreserved(c) || (c == '/' && slash == Slash::kKeep)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kHexUpper[byte >> 4];
    out += kHexUpper[byte & 15];
  }
  return out;
}

std::expected<std::string, Error> PercentDecode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? HexValue(text[i + 1]) : -1;
    const int low = high >= 0 ? HexValue(text[i + 2]) : -1;
    if (low < 0) {
      return std::unexpected(Error{
          ErrorCode::kInvalidArgument,
          fmt::format("expected two hexadecimal digits after '%', got '{}'", text.substr(i, 3))});
    }
    out += static_cast<char>(high << 4 | low);
    i += 2;
  }
  return out;
}

}  // namespace kelvin

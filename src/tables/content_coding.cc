#include "tables/content_coding.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include <fmt/format.h>
#include <zlib.h>

namespace kelvin::tables {
namespace {

constexpr int kZlibBits = 15;              // of the window; alone they mean zlib's own wrapping,
constexpr int kGzipBits = kZlibBits + 16;  // which HTTP calls deflate, and with 16 more gzip
constexpr int kMemoryLevel = 8;            // zlib's default

std::string_view Trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// Takes what stands before the first `separator` off the text.
std::string_view TakeUntil(char separator, std::string_view& text) {
  const auto end = text.find(separator);
  const std::string_view part = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  return Trimmed(part);
}

bool IsNamed(std::string_view token, std::string_view name) {
  return std::ranges::equal(token, name, [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
  });
}

// Of the parameters after a coding's name; the first q counts.
double Quality(std::string_view parameters) {
  while (!parameters.empty()) {
    std::string_view value = TakeUntil(';', parameters);
    if (!IsNamed(TakeUntil('=', value), "q")) continue;
    value = Trimmed(value);
    double quality = 1;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), quality);
    if (error != std::errc{} || end != value.data() + value.size()) return 1;
    return std::clamp(quality, 0.0, 1.0);
  }
  return 1;
}

class Inflater {
 public:
  Inflater(std::string_view bytes, std::size_t max_bytes) : max_bytes_(max_bytes) {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());
    ready_ = ::inflateInit2(&stream_, kGzipBits) == Z_OK;
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() {
    if (ready_) ::inflateEnd(&stream_);
  }

  std::expected<std::string, Error> Run() {
    if (!ready_) return Failed("no memory to unpack it");
    do {
      if (auto done = OneMember(); !done) return std::unexpected(std::move(done.error()));
    } while (stream_.avail_in > 0 && ::inflateReset(&stream_) == Z_OK);
    return std::move(out_);
  }

 private:
  static std::unexpected<Error> Failed(std::string_view what) {
    return std::unexpected(
        Error{ErrorCode::kCorrupt, fmt::format("expected a body in gzip, got {}", what)});
  }

  std::expected<void, Error> OneMember() {
    std::array<Bytef, 16384> buffer;
    for (;;) {
      stream_.next_out = buffer.data();
      stream_.avail_out = static_cast<uInt>(buffer.size());
      const int result = ::inflate(&stream_, Z_NO_FLUSH);
      const std::size_t made = buffer.size() - stream_.avail_out;
      if (made > max_bytes_ - out_.size()) {
        return std::unexpected(
            Error{ErrorCode::kResourceExhausted,
                  fmt::format("expected at most {} bytes unpacked", max_bytes_)});
      }
      out_.append(reinterpret_cast<const char*>(buffer.data()), made);
      if (result == Z_STREAM_END) return {};
      if (result != Z_OK) return Failed(result == Z_BUF_ERROR ? "one cut short" : "a damaged one");
    }
  }

  const std::size_t max_bytes_;
  z_stream stream_{};
  bool ready_ = false;
  std::string out_;
};

}  // namespace

std::string_view ContentCodingName(ContentCoding coding) {
  switch (coding) {
    case ContentCoding::kGzip:
      return "gzip";
    case ContentCoding::kDeflate:
      return "deflate";
    case ContentCoding::kIdentity:
      break;
  }
  return {};
}

ContentCoding PreferredCoding(std::string_view accept_encoding) {
  constexpr std::array kCodings = {ContentCoding::kGzip, ContentCoding::kDeflate};
  ContentCoding preferred = ContentCoding::kIdentity;
  double highest = 0;
  double of_others = 0;
  std::array<bool, kCodings.size()> named{};
  while (!accept_encoding.empty()) {
    std::string_view parameters = TakeUntil(',', accept_encoding);
    const std::string_view token = TakeUntil(';', parameters);
    const double quality = Quality(parameters);
    if (token == "*") of_others = std::max(of_others, quality);
    for (std::size_t i = 0; i < kCodings.size(); ++i) {
      if (!IsNamed(token, ContentCodingName(kCodings[i]))) continue;
      named[i] = true;
      if (quality <= highest) continue;
      highest = quality;
      preferred = kCodings[i];
    }
  }
  if (of_others <= highest) return preferred;
  const auto other = std::ranges::find(named, false);
  return other == named.end() ? preferred
                              : kCodings[static_cast<std::size_t>(other - named.begin())];
}

std::string Encode(std::string_view bytes, ContentCoding coding) {
  z_stream stream{};
  const int bits = coding == ContentCoding::kGzip ? kGzipBits : kZlibBits;
  if (::deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, bits, kMemoryLevel, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    throw std::bad_alloc();
  }
  std::string out(::deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  ::deflate(&stream, Z_FINISH);  // ends: there is room for the worst case
  out.resize(stream.total_out);
  ::deflateEnd(&stream);
  return out;
}

std::expected<std::string, Error> Gunzip(std::string_view bytes, std::size_t max_bytes) {
  return Inflater(bytes, max_bytes).Run();
}

}  // namespace kelvin::tables

#include "aws/dns_message.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include <arpa/inet.h>

#include "http/message.h"

namespace kelvin::aws {
namespace {

constexpr int kTypeA = 1;
constexpr int kTypeAaaa = 28;
constexpr std::size_t kHeaderSize = 12;

// Reads forward through a message; after the first read past the end, ok() is false.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }

  std::string_view Take(std::size_t size) {
    if (!ok_ || size > bytes_.size() - at_) {
      ok_ = false;
      return {};
    }
    at_ += size;
    return bytes_.substr(at_ - size, size);
  }

  int Number16() {
    const std::string_view two = Take(2);
    if (!ok_) return 0;
    return static_cast<unsigned char>(two[0]) << 8 | static_cast<unsigned char>(two[1]);
  }

  // A name's labels, up to its end or to the pointer that stands for its end.
  void SkipName() {
    while (ok_) {
      const std::string_view length = Take(1);
      if (!ok_) return;
      const auto size = static_cast<unsigned char>(length[0]);
      if (size == 0) return;
      if ((size & 0xc0) == 0xc0) {
        Take(1);
        return;
      }
      if ((size & 0xc0) != 0) ok_ = false;
      Take(size);
    }
  }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

std::optional<std::string> AddressText(int type, std::string_view data) {
  const int family = type == kTypeA ? AF_INET : AF_INET6;
  if (data.size() != (type == kTypeA ? 4U : 16U)) return std::nullopt;
  std::array<char, INET6_ADDRSTRLEN> text;
  if (::inet_ntop(family, data.data(), text.data(), text.size()) == nullptr) return std::nullopt;
  return std::string(text.data());
}

bool IsBlank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

// Takes the next word off `line`.
std::string_view NextWord(std::string_view& line) {
  while (!line.empty() && IsBlank(line.front())) line.remove_prefix(1);
  const auto end = std::ranges::find_if(line, IsBlank);
  const auto word = line.substr(0, static_cast<std::size_t>(end - line.begin()));
  line.remove_prefix(word.size());
  return word;
}

bool IsNumericAddress(const std::string& text) {
  std::array<char, 16> ignored;
  return ::inet_pton(AF_INET, text.c_str(), ignored.data()) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), ignored.data()) == 1;
}

}  // namespace

std::expected<std::vector<std::string>, Error> AddressesInDnsAnswer(std::string_view message) {
  Reader reader(message);
  reader.Take(4);
  const int questions = reader.Number16();
  const int answers = reader.Number16();
  reader.Take(kHeaderSize - 8);
  for (int i = 0; i < questions && reader.ok(); ++i) {
    reader.SkipName();
    reader.Take(4);
  }
  std::vector<std::string> addresses;
  for (int i = 0; i < answers && reader.ok(); ++i) {
    reader.SkipName();
    const int type = reader.Number16();
    reader.Take(6);  // class and time to live
    const std::string_view data = reader.Take(static_cast<std::size_t>(reader.Number16()));
    if (type != kTypeA && type != kTypeAaaa) continue;
    auto address = AddressText(type, data);
    if (address) addresses.push_back(std::move(*address));
  }
  if (!reader.ok()) {
    return std::unexpected(
        Error{ErrorCode::kCorrupt, "expected a whole DNS message, got a part of one"});
  }
  return addresses;
}

std::vector<std::string> AddressesInHostsFile(std::string_view content, std::string_view host) {
  std::vector<std::string> addresses;
  while (!content.empty()) {
    std::string_view line = content.substr(0, content.find('\n'));
    content.remove_prefix(std::min(line.size() + 1, content.size()));
    line = line.substr(0, line.find('#'));
    std::string address(NextWord(line));
    for (std::string_view name = NextWord(line); !name.empty(); name = NextWord(line)) {
      if (!http::EqualsIgnoringCase(name, host)) continue;
      if (IsNumericAddress(address)) addresses.push_back(std::move(address));
      break;
    }
  }
  return addresses;
}

}  // namespace kelvin::aws

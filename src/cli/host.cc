#include "cli/host.h"

#include <charconv>
#include <cstdlib>
#include <string>

#include <sys/ioctl.h>
#include <unistd.h>

#include "base/file.h"

namespace kelvin::cli {
namespace {

// A report that is piped into a file or a pager is read there at some width of its own.
constexpr std::size_t kPlainWidth = 160;
constexpr std::size_t kMinWidth = 20;

std::optional<std::string> Environment(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

std::size_t WidthOf(int fd, bool terminal) {
  winsize size{};
  if (terminal && ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col >= kMinWidth) {
    return size.ws_col;
  }
  std::size_t columns = 0;
  const std::string text = Environment("COLUMNS").value_or("");
  std::from_chars(text.data(), text.data() + text.size(), columns);
  if (columns >= kMinWidth) return columns;
  return terminal ? 80 : kPlainWidth;
}

Output OutputTo(int fd) {
  const bool terminal = ::isatty(fd) == 1;
  return Output{.write = [fd](std::string_view text) { (void)WriteAll(fd, text); },
                .terminal = terminal,
                .width = WidthOf(fd, terminal),
                .fd = fd};
}

bool HasUtf8(const aws::EnvironmentLookup& environment) {
  // The first of these that is set decides, as for the C library.
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const auto value = environment(name);
    if (!value || value->empty()) continue;
    return value->find("UTF-8") != std::string::npos || value->find("utf8") != std::string::npos;
  }
  return false;
}

}  // namespace

lab::Style StyleOf(const Host& host) {
  const auto no_color = host.environment("NO_COLOR");
  const bool plain = !host.out.terminal || (no_color && !no_color->empty()) ||
                     host.environment("TERM").value_or("") == "dumb";
  return lab::Style{
      .width = host.out.width,
      .color = plain ? lab::Color::kNo : lab::Color::kYes,
      .glyphs = HasUtf8(host.environment) ? lab::Glyphs::kUnicode : lab::Glyphs::kAscii};
}

Host ProcessHost(const Clock& clock, Random& random) {
  return Host{.out = OutputTo(STDOUT_FILENO),
              .err = OutputTo(STDERR_FILENO),
              .environment = Environment,
              .clock = clock,
              .random = random};
}

}  // namespace kelvin::cli

#include "aws/profiles.h"

#include <optional>

namespace kelvin::aws {
namespace {

std::string_view Trimmed(std::string_view text) {
  const std::size_t start = text.find_first_not_of(" \t\r");
  if (start == std::string_view::npos) return {};
  return text.substr(start, text.find_last_not_of(" \t\r") - start + 1);
}

// The profile of a "[...]" line; none for a section of another kind.
std::optional<std::string> SectionName(std::string_view line, ProfileFile file) {
  const std::size_t close = line.find(']');
  if (close == std::string_view::npos) return std::nullopt;
  const std::string_view name = Trimmed(line.substr(1, close - 1));
  if (file == ProfileFile::kCredentials || name == "default") return std::string(name);
  constexpr std::string_view kPrefix = "profile";
  if (!name.starts_with(kPrefix)) return std::nullopt;
  const std::string_view rest = name.substr(kPrefix.size());
  if (!rest.starts_with(' ') && !rest.starts_with('\t')) return std::nullopt;
  return std::string(Trimmed(rest));
}

}  // namespace

Profiles ParseProfiles(std::string_view text, ProfileFile file) {
  Profiles profiles;
  std::optional<std::string> section;
  while (!text.empty()) {
    const std::string_view whole = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(whole.size() + 1, text.size()));
    const std::string_view line = Trimmed(whole);
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (line.front() == '[') {
      section = SectionName(line, file);
      if (section) profiles.try_emplace(*section);
      continue;
    }
    const bool indented = whole.front() == ' ' || whole.front() == '\t';
    const std::size_t equals = line.find('=');
    if (!section || indented || equals == std::string_view::npos) continue;
    profiles[*section][std::string(Trimmed(line.substr(0, equals)))] =
        Trimmed(line.substr(equals + 1));
  }
  return profiles;
}

}  // namespace kelvin::aws

#include "aws/profiles.h"

#include <algorithm>

namespace kelvin::aws {
namespace {

std::string_view Trimmed(std::string_view text) {
  const std::size_t start = text.find_first_not_of(" \t\r");
  if (start == std::string_view::npos) return {};
  return text.substr(start, text.find_last_not_of(" \t\r") - start + 1);
}

std::string LowerCase(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string_view Unquoted(std::string_view text) {
  const bool quoted = text.size() >= 2 && text.front() == text.back() &&
                      (text.front() == '"' || text.front() == '\'');
  return quoted ? text.substr(1, text.size() - 2) : text;
}

// The name in "KIND NAME"; empty for a section of another kind.
std::string_view NameAfter(std::string_view section, std::string_view kind) {
  if (!section.starts_with(kind)) return {};
  const std::string_view rest = section.substr(kind.size());
  if (!rest.starts_with(' ') && !rest.starts_with('\t')) return {};
  return Unquoted(Trimmed(rest));
}

// Where the settings after a "[...]" line go; nowhere for a section of another kind.
std::map<std::string, std::string>* Section(std::string_view line, ProfileFile file,
                                            ProfileFileContent& content) {
  const std::size_t close = line.find(']');
  if (close == std::string_view::npos) return nullptr;
  const std::string_view name = Trimmed(line.substr(1, close - 1));
  if (name.empty()) return nullptr;
  if (file == ProfileFile::kCredentials || name == "default") {
    return &content.profiles[std::string(name)];
  }
  if (const auto session = NameAfter(name, "sso-session"); !session.empty()) {
    return &content.sso_sessions[std::string(session)];
  }
  const std::string_view profile = NameAfter(name, "profile");
  return profile.empty() ? nullptr : &content.profiles[std::string(profile)];
}

}  // namespace

ProfileFileContent ParseProfiles(std::string_view text, ProfileFile file) {
  ProfileFileContent content;
  std::map<std::string, std::string>* section = nullptr;
  while (!text.empty()) {
    const std::string_view whole = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(whole.size() + 1, text.size()));
    const std::string_view line = Trimmed(whole);
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    const bool indented = whole.front() == ' ' || whole.front() == '\t';
    if (line.front() == '[' && !indented) {
      section = Section(line, file, content);
      continue;
    }
    const std::size_t separator = line.find_first_of("=:");
    if (section == nullptr || indented || separator == std::string_view::npos) continue;
    (*section)[LowerCase(Trimmed(line.substr(0, separator)))] = Trimmed(line.substr(separator + 1));
  }
  return content;
}

}  // namespace kelvin::aws

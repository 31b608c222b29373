#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace kelvin::package {

enum class Severity { kNote, kWarning, kError };
// "note", "warning", "error", as SARIF has them.
std::string_view SeverityName(Severity severity);
std::optional<Severity> ParseSeverity(std::string_view name);

enum class Area { kStart, kStartTime, kAot, kHardening };
// "will it start", "slow to start", "blocks AOT", "hardening".
std::string_view AreaTitle(Area area);

// One thing that inspect looks for. Ids never change their meaning. KV1xxx: will it start. KV2xxx:
// what makes it slow to start. KV3xxx and ILxxxx, which are the numbers of .NET's trimmer: what
// blocks AOT. KV4xxx: hardening.
struct Rule {
  std::string_view id;
  std::string_view name;  // "glibc-too-new"
  Area area;
  Severity severity;  // unless the finding says otherwise
  std::string_view meaning;
  std::string_view fix;
};

std::span<const Rule> Rules();
// An id that Rules() does not have gives nullptr.
const Rule* FindRule(std::string_view id);

}  // namespace kelvin::package

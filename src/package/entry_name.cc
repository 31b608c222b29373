#include "package/entry_name.h"

#include <fmt/format.h>

namespace kelvin::package {
namespace {

Error BadName(std::string_view name, std::string_view why) {
  return Error{ErrorCode::kInvalidArgument,
               fmt::format("expected names inside the package, such as \"lib/data.bin\", got "
                           "\"{}\", which {}; pack again without it",
                           name, why)};
}

template <typename Visit>
void ForEachComponent(std::string_view path, Visit visit) {
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    visit(path.substr(0, slash));
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
}

}  // namespace

std::expected<std::vector<std::string_view>, Error> SplitEntryName(std::string_view name) {
  if (name.empty()) return std::unexpected(BadName(name, "is empty"));
  if (name.front() == '/') return std::unexpected(BadName(name, "is absolute"));
  if (name.contains('\0')) return std::unexpected(BadName(name, "contains a NUL byte"));
  std::vector<std::string_view> components;
  bool climbs = false;
  ForEachComponent(name, [&](std::string_view component) {
    if (component == "..") climbs = true;
    if (!component.empty() && component != ".") components.push_back(component);
  });
  if (climbs) return std::unexpected(BadName(name, "contains \"..\""));
  return components;
}

bool LinkStaysInside(std::string_view target, std::size_t depth) {
  if (target.empty() || target.front() == '/' || target.contains('\0')) return false;
  std::size_t climbed = 0;
  bool descended = false;
  bool inside = true;
  ForEachComponent(target, [&](std::string_view component) {
    if (component.empty() || component == ".") return;
    if (component != "..") {
      descended = true;
    } else if (descended || ++climbed > depth) {
      inside = false;
    }
  });
  return inside;
}

}  // namespace kelvin::package

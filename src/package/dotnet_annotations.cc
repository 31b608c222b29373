#include "package/dotnet_annotations.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "package/dotnet_members.h"
#include "package/little_endian.h"

namespace kelvin::package {
namespace {

constexpr std::string_view kCodeAnalysis = "System.Diagnostics.CodeAnalysis.";

std::uint8_t RequirementOf(std::string_view attribute) {
  if (!attribute.starts_with(kCodeAnalysis)) return 0;
  attribute.remove_prefix(kCodeAnalysis.size());
  if (attribute == "RequiresUnreferencedCodeAttribute") return kRequiresUnreferencedCode;
  if (attribute == "RequiresDynamicCodeAttribute") return kRequiresDynamicCode;
  if (attribute == "RequiresAssemblyFilesAttribute") return kRequiresAssemblyFiles;
  return 0;
}

// A string of an attribute's value (II.23.3): a short length and UTF-8.
std::string_view TakeString(std::string_view& value) {
  const auto size = NumberAt<std::uint8_t>(value, 0);
  if (!size) return {};
  std::uint64_t length = *size;
  std::size_t head = 1;
  if ((length & 0x80) != 0) {
    length = ((length & 0x3f) << 8) | NumberAt<std::uint8_t>(value, 1).value_or(0);
    head = 2;
  }
  const std::string_view text = PartOf(value, head, length);
  value.remove_prefix(std::min<std::size_t>(value.size(), head + text.size()));
  return text;
}

std::string_view ArgumentsOf(std::string_view value) {
  constexpr std::size_t kProlog = 2;
  return value.substr(std::min(kProlog, value.size()));
}

// "Handle" of "<Handle>d__3" and "<Handle>b__0": what the compiler made a member out of.
std::string_view OriginalName(std::string_view name) {
  const std::size_t begin = name.find('<');
  const std::size_t end = name.find('>', begin == std::string_view::npos ? 0 : begin);
  if (begin == std::string_view::npos || end == std::string_view::npos || end <= begin + 1)
    return {};
  return name.substr(begin + 1, end - begin - 1);
}

}  // namespace

DotnetAnnotations::DotnetAnnotations(const DotnetMetadata& metadata) : metadata_(metadata) {
  ReadSemantics();
  for (std::uint32_t row = 1; row <= metadata_.Rows(Table::kCustomAttribute); ++row) {
    ReadAttribute(row);
  }
}

void DotnetAnnotations::ReadSemantics() {
  for (std::uint32_t row = 1; row <= metadata_.Rows(Table::kMethodSemantics); ++row) {
    const Token owner = metadata_.CodedCell(Table::kMethodSemantics, row, 2);
    if (!owner.Is(Table::kProperty)) continue;
    methods_of_property_[owner.row].push_back(metadata_.Cell(Table::kMethodSemantics, row, 1));
  }
}

void DotnetAnnotations::ReadAttribute(std::uint32_t row) {
  const Token parent = metadata_.CodedCell(Table::kCustomAttribute, row, 0);
  const Token constructor = metadata_.CodedCell(Table::kCustomAttribute, row, 1);
  const bool of_method = parent.Is(Table::kMethodDef);
  const bool of_type = parent.Is(Table::kTypeDef);
  const bool of_property = parent.Is(Table::kProperty);
  const bool of_assembly = parent.Is(Table::kAssembly);
  if (!of_method && !of_type && !of_property && !of_assembly) return;
  const std::string attribute = metadata_.Member(constructor).type;
  std::string_view value =
      ArgumentsOf(metadata_.Blob(metadata_.Cell(Table::kCustomAttribute, row, 2)));
  if (of_assembly) {
    assembly_.emplace(attribute, std::string(TakeString(value)));
    return;
  }
  if (const std::uint8_t requirement = RequirementOf(attribute); requirement != 0) {
    if (of_method) method_requirements_[parent.row] |= requirement;
    if (of_type) type_requirements_[parent.row] |= requirement;
    if (of_property) {
      for (const std::uint32_t method : methods_of_property_[parent.row]) {
        method_requirements_[method] |= requirement;
      }
    }
    return;
  }
  if (attribute != "System.Diagnostics.CodeAnalysis.UnconditionalSuppressMessageAttribute") return;
  TakeString(value);  // the category
  const std::string_view check = TakeString(value);
  const std::string code(check.substr(0, check.find(':')));
  if (of_method) method_suppressed_[parent.row].insert(code);
  if (of_type) type_suppressed_[parent.row].insert(code);
}

std::vector<std::uint32_t> DotnetAnnotations::Origins(std::uint32_t method) const {
  std::vector<std::uint32_t> origins{method};
  const Token owner = metadata_.OwnerOf({static_cast<std::uint8_t>(Table::kMethodDef), method});
  std::string type = metadata_.TypeName(owner);
  std::string name(OriginalName(metadata_.String(metadata_.Cell(Table::kMethodDef, method, 3))));
  const std::size_t nested = type.rfind('/');
  if (name.empty() && nested != std::string::npos) {
    name = OriginalName(std::string_view(type).substr(nested + 1));
  }
  if (name.empty()) return origins;
  // Lambdas are in the type itself or in one nested within; the method is in the outermost.
  std::uint32_t outer = owner.row;
  for (std::uint32_t row = 1; row <= metadata_.Rows(Table::kNestedClass); ++row) {
    if (metadata_.Cell(Table::kNestedClass, row, 0) == owner.row &&
        metadata_.String(metadata_.Cell(Table::kTypeDef, owner.row, 1)).contains('<')) {
      outer = metadata_.Cell(Table::kNestedClass, row, 1);
    }
  }
  const std::uint32_t first = metadata_.Cell(Table::kTypeDef, outer, 5);
  const std::uint32_t end = outer < metadata_.Rows(Table::kTypeDef)
                                ? metadata_.Cell(Table::kTypeDef, outer + 1, 5)
                                : metadata_.Rows(Table::kMethodDef) + 1;
  for (std::uint32_t row = first; row != 0 && row < end && row <= metadata_.Rows(Table::kMethodDef);
       ++row) {
    if (metadata_.String(metadata_.Cell(Table::kMethodDef, row, 3)) == name) origins.push_back(row);
  }
  return origins;
}

std::uint8_t DotnetAnnotations::Direct(std::uint32_t method) const {
  const auto found = method_requirements_.find(method);
  return found != method_requirements_.end() ? found->second : 0;
}

std::uint8_t DotnetAnnotations::Requirements(std::uint32_t method) const {
  std::uint8_t requirements = Direct(method);
  if (type_requirements_.empty()) return requirements;
  const Token owner = metadata_.OwnerOf({static_cast<std::uint8_t>(Table::kMethodDef), method});
  const auto of_type = type_requirements_.find(owner.row);
  if (of_type == type_requirements_.end()) return requirements;
  constexpr std::uint32_t kStatic = 0x10;
  const bool is_static = (metadata_.Cell(Table::kMethodDef, method, 2) & kStatic) != 0;
  const bool constructs = metadata_.String(metadata_.Cell(Table::kMethodDef, method, 3)) == ".ctor";
  if (is_static || constructs) requirements |= of_type->second;
  return requirements;
}

bool DotnetAnnotations::Passes(std::uint32_t method, Requirement requirement) const {
  if (method_requirements_.empty() && type_requirements_.empty()) return false;
  return std::ranges::any_of(Origins(method), [&](std::uint32_t origin) {
    if ((Requirements(origin) & requirement) != 0) return true;
    const Token owner = metadata_.OwnerOf({static_cast<std::uint8_t>(Table::kMethodDef), origin});
    const auto of_type = type_requirements_.find(owner.row);
    return of_type != type_requirements_.end() && (of_type->second & requirement) != 0;
  });
}

bool DotnetAnnotations::Suppresses(std::uint32_t method, std::string_view code) const {
  if (method_suppressed_.empty() && type_suppressed_.empty()) return false;
  const std::string wanted(code);
  return std::ranges::any_of(Origins(method), [&](std::uint32_t origin) {
    const auto own = method_suppressed_.find(origin);
    if (own != method_suppressed_.end() && own->second.contains(wanted)) return true;
    const Token owner = metadata_.OwnerOf({static_cast<std::uint8_t>(Table::kMethodDef), origin});
    const auto of_type = type_suppressed_.find(owner.row);
    return of_type != type_suppressed_.end() && of_type->second.contains(wanted);
  });
}

KnownMembers::KnownMembers() {
  for (const DotnetMember& member : DotnetMembers()) {
    overloads_.emplace(fmt::format("{}.{}", member.type, member.name),
                       Overload{std::string(member.parameters), member.requirements});
  }
}

void KnownMembers::Add(const DotnetMetadata& metadata, const DotnetAnnotations& annotations) {
  for (std::uint32_t row = 1; row <= metadata.Rows(Table::kMethodDef); ++row) {
    const std::uint8_t requirements = annotations.Requirements(row);
    if (requirements == 0) continue;
    const MemberName member = metadata.Member({static_cast<std::uint8_t>(Table::kMethodDef), row});
    overloads_.emplace(
        fmt::format("{}.{}", member.type, member.name),
        Overload{fmt::format("{}", fmt::join(member.parameters, ",")), requirements});
  }
}

std::uint8_t KnownMembers::Requirements(const MemberName& member) const {
  const auto [first, last] = overloads_.equal_range(fmt::format("{}.{}", member.type, member.name));
  if (first == last) return 0;
  const std::string parameters = fmt::format("{}", fmt::join(member.parameters, ","));
  std::uint8_t requirements = 0;
  for (auto at = first; at != last; ++at) {
    if (at->second.parameters == "*" || at->second.parameters == parameters) {
      requirements |= at->second.requirements;
    }
  }
  return requirements;
}

}  // namespace kelvin::package

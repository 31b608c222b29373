#include "package/inspect_report.h"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace kelvin::package {
namespace {

namespace json = boost::json;

json::string Text(std::string_view text) {
  return json::string(text.data(), text.size());
}

// JSON holds UTF-8 only; names in binaries may be anything.
std::string Printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      out += c;
    } else {
      out += fmt::format("\\x{:02x}", byte);
    }
  }
  return out;
}

json::array Sizes(const std::vector<SizedName>& names) {
  json::array array;
  for (const SizedName& name : names) {
    array.push_back({{"name", Printable(name.name)}, {"bytes", name.bytes}});
  }
  return array;
}

json::array Findings(const InspectReport& report) {
  json::array array;
  for (const Finding& finding : report.findings) {
    json::object object{{"rule", finding.rule->id},
                        {"name", finding.rule->name},
                        {"area", AreaTitle(finding.rule->area)},
                        {"severity", SeverityName(finding.severity)},
                        {"file", Printable(finding.file)},
                        {"evidence", Printable(finding.evidence)},
                        {"count", finding.count},
                        {"meaning", finding.rule->meaning},
                        {"fix", Printable(finding.fix)}};
    if (finding.has_offset) object["offset"] = finding.offset;
    array.push_back(std::move(object));
  }
  return array;
}

json::array Strings(const std::vector<std::string>& strings) {
  json::array array;
  for (const std::string& text : strings) array.push_back(Text(Printable(text)));
  return array;
}

std::string_view KindName(ElfKind kind) {
  switch (kind) {
    case ElfKind::kExecutable:
      return "executable";
    case ElfKind::kPie:
      return "pie";
    case ElfKind::kSharedLibrary:
      return "shared library";
    case ElfKind::kObject:
      return "object";
    case ElfKind::kOther:
      return "other";
  }
  return "other";
}

std::string_view RelroName(Relro relro) {
  switch (relro) {
    case Relro::kNone:
      return "none";
    case Relro::kPartial:
      return "partial";
    case Relro::kFull:
      return "full";
  }
  return "none";
}

json::object ElfObject(const ElfFile& elf) {
  json::array versions;
  for (const ElfVersionNeed& need : elf.versions) {
    versions.push_back(
        {{"library", Printable(need.library)}, {"version", Printable(need.version)}});
  }
  return {{"kind", KindName(elf.kind)},
          {"dynamic", elf.dynamic},
          {"interpreter", Printable(elf.interpreter)},
          {"needed", Strings(elf.needed)},
          {"searchPaths", Strings(elf.search_paths)},
          {"versions", std::move(versions)},
          {"relro", RelroName(elf.relro)},
          {"bindNow", elf.bind_now},
          {"executableStack", elf.stack_execution != StackExecution::kNo},
          {"initialisers", elf.initialisers},
          {"relocations",
           {{"relative", elf.relative_relocations},
            {"bySymbol", elf.symbol_relocations},
            {"indirect", elf.indirect_relocations}}}};
}

json::object RuleObject(const Rule& rule) {
  return {{"id", rule.id},
          {"name", rule.name},
          {"shortDescription", {{"text", rule.meaning}}},
          {"help", {{"text", rule.fix}}},
          {"defaultConfiguration", {{"level", SeverityName(rule.severity)}}},
          {"properties", {{"area", AreaTitle(rule.area)}}}};
}

// A package is the artifact; the file within is named below it, as archives are in SARIF viewers.
json::object Result(const InspectReport& report, const Finding& finding, std::size_t rule_index) {
  std::string message = Printable(finding.evidence);
  if (finding.count > 1) message += fmt::format(" ({} times)", finding.count);
  message += fmt::format(". {} {}", finding.rule->meaning, Printable(finding.fix));
  std::string uri;
  for (const char c : Printable(report.source))
    uri += c == ' ' ? std::string("%20") : std::string(1, c);
  json::object physical{{"artifactLocation", {{"uri", uri}}}};
  if (finding.has_offset && finding.file.empty()) {
    physical["region"] = {{"byteOffset", finding.offset}};
  }
  json::object location{{"physicalLocation", std::move(physical)}};
  if (!finding.file.empty()) {
    location["logicalLocations"] =
        json::array{{{"fullyQualifiedName", Printable(finding.file)}, {"kind", "resource"}}};
  }
  json::object result{
      {"ruleId", finding.rule->id},
      {"ruleIndex", rule_index},
      {"level", SeverityName(finding.severity)},
      {"message", {{"text", Text(message)}}},
      {"locations", json::array{std::move(location)}},
      {"partialFingerprints",
       {{"kelvin/v1", Text(fmt::format("{}:{}:{}", finding.rule->id, Printable(finding.file),
                                       Printable(finding.evidence)))}}},
      {"occurrenceCount", finding.count}};
  if (finding.has_offset) result["properties"] = {{"byteOffset", finding.offset}};
  return result;
}

}  // namespace

std::string InspectJson(std::span<const InspectReport> reports) {
  json::array packages;
  for (const InspectReport& report : reports) {
    json::object package{{"source", Printable(report.source)},
                         {"container", ContainerName(report.container)},
                         {"what", Printable(report.identity.what)},
                         {"language", report.identity.language},
                         {"model", ModelName(report.identity.model)},
                         {"architecture", report.identity.architecture},
                         {"program", Printable(report.identity.program)},
                         {"runtime", report.runtime},
                         {"packedBytes", report.packed_bytes},
                         {"unpackedBytes", report.unpacked_bytes},
                         {"files", Sizes(report.files)},
                         {"sections", Sizes(report.sections)},
                         {"errors", report.Count(Severity::kError)},
                         {"warnings", report.Count(Severity::kWarning)},
                         {"notes", report.Count(Severity::kNote)},
                         {"findings", Findings(report)}};
    if (report.elf) package["elf"] = ElfObject(*report.elf);
    packages.push_back(std::move(package));
  }
  return json::serialize(json::object{{"packages", std::move(packages)}}) + '\n';
}

std::string InspectSarif(std::span<const InspectReport> reports, std::string_view version) {
  json::array rules;
  for (const Rule& rule : Rules()) rules.push_back(RuleObject(rule));
  json::array results;
  for (const InspectReport& report : reports) {
    for (const Finding& finding : report.findings) {
      const auto index = static_cast<std::size_t>(finding.rule - Rules().data());
      results.push_back(Result(report, finding, index));
    }
  }
  const json::object driver{{"name", "kelvin inspect"}, {"version", version}, {"rules", rules}};
  return json::serialize(json::object{{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
                                      {"version", "2.1.0"},
                                      {"runs", json::array{{{"tool", {{"driver", driver}}},
                                                            {"columnKind", "utf16CodeUnits"},
                                                            {"results", results}}}}}) +
         '\n';
}

}  // namespace kelvin::package

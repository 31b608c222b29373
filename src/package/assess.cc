#include "package/assess.h"

#include <algorithm>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace kelvin::package {
namespace {

namespace json = boost::json;

constexpr std::size_t kFewBlockers = 5;

bool BlocksAot(const Finding& finding) {
  return finding.rule->area == Area::kAot && finding.severity >= Severity::kWarning;
}

Readiness Judge(const Assessment& assessment, bool library_blocks) {
  const Model model = assessment.report.identity.model;
  if (model == Model::kInterpreted || assessment.report.identity.language == "Java") {
    return Readiness::kRewrite;
  }
  if (library_blocks || assessment.blockers > kFewBlockers) return Readiness::kMany;
  if (assessment.blockers > 0) return Readiness::kSome;
  return model == Model::kAot ? Readiness::kDone : Readiness::kReady;
}

std::string Advice(const Assessment& assessment) {
  const Identity& identity = assessment.report.identity;
  const bool dotnet = identity.language == ".NET";
  const std::string_view aot = dotnet ? "publish with PublishAot" : "build mode aot";
  const std::string first =
      assessment.stepping_stone
          ? (dotnet
                 ? std::string("publish ReadyToRun now (PublishReadyToRun, no code changes); then ")
                 : std::string("build mode r2r now (no code changes); then "))
          : std::string();
  switch (assessment.readiness) {
    case Readiness::kDone:
      return "nothing to do";
    case Readiness::kReady:
      return fmt::format("{}, and measure it with kelvin compare", aot);
    case Readiness::kSome:
      return fmt::format("{}change {} ({} call{}), and {}", first,
                         fmt::join(assessment.rules, ", "), assessment.places,
                         assessment.places == 1 ? "" : "s", aot);
    case Readiness::kMany:
      return fmt::format("{}isolate what needs {} in a function that stays as it is", first,
                         fmt::join(assessment.rules, ", "));
    case Readiness::kRewrite:
      return "keep it, or rewrite what is hot in a language that compiles to machine code";
  }
  return {};
}

Assessment AssessOne(InspectReport report) {
  Assessment assessment{.report = std::move(report), .rules = {}, .advice = {}};
  bool library_blocks = false;
  for (const Finding& finding : assessment.report.findings) {
    if (!BlocksAot(finding)) continue;
    ++assessment.blockers;
    assessment.places += finding.count;
    library_blocks |= finding.rule->id == "KV3003";
    const std::string id(finding.rule->id);
    if (std::ranges::find(assessment.rules, id) == assessment.rules.end()) {
      assessment.rules.push_back(id);
    }
  }
  assessment.readiness = Judge(assessment, library_blocks);
  assessment.stepping_stone =
      assessment.report.identity.model == Model::kJit &&
      (assessment.readiness == Readiness::kSome || assessment.readiness == Readiness::kMany);
  assessment.advice = Advice(assessment);
  return assessment;
}

// Least work first; what compiles at run time gains more than what is precompiled already.
int Order(const Assessment& assessment) {
  switch (assessment.readiness) {
    case Readiness::kReady:
      return 0;
    case Readiness::kSome:
      return 1;
    case Readiness::kMany:
      return 2;
    case Readiness::kRewrite:
      return 3;
    case Readiness::kDone:
      return 4;
  }
  return 4;
}

}  // namespace

std::string_view ReadinessName(Readiness readiness) {
  switch (readiness) {
    case Readiness::kDone:
      return "done";
    case Readiness::kReady:
      return "ready";
    case Readiness::kSome:
      return "some changes";
    case Readiness::kMany:
      return "many changes";
    case Readiness::kRewrite:
      return "rewrite";
  }
  return "";
}

std::vector<Assessment> Assess(std::vector<InspectReport> reports) {
  std::vector<Assessment> assessments;
  for (InspectReport& report : reports) assessments.push_back(AssessOne(std::move(report)));
  std::ranges::sort(assessments, [](const Assessment& a, const Assessment& b) {
    if (Order(a) != Order(b)) return Order(a) < Order(b);
    if (a.places != b.places) return a.places < b.places;
    if (a.report.identity.model != b.report.identity.model) {
      return a.report.identity.model < b.report.identity.model;
    }
    return a.report.source < b.report.source;
  });
  return assessments;
}

std::string AssessJson(const std::vector<Assessment>& assessments) {
  json::array migration;
  for (const Assessment& assessment : assessments) {
    json::array rules(assessment.rules.begin(), assessment.rules.end());
    migration.push_back({{"source", assessment.report.source},
                         {"what", assessment.report.identity.what},
                         {"model", ModelName(assessment.report.identity.model)},
                         {"readiness", ReadinessName(assessment.readiness)},
                         {"blockers", assessment.blockers},
                         {"places", assessment.places},
                         {"rules", std::move(rules)},
                         {"readyToRunFirst", assessment.stepping_stone},
                         {"startErrors", assessment.report.Count(Area::kStart, Severity::kError)},
                         {"advice", assessment.advice}});
  }
  return json::serialize(json::object{{"migration", std::move(migration)}}) + '\n';
}

}  // namespace kelvin::package

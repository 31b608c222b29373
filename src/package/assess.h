#pragma once

#include <string>
#include <vector>

#include "package/inspect.h"

namespace kelvin::package {

// How much stands between a package and an AOT build.
enum class Readiness {
  kDone,     // machine code already, nothing in the way
  kReady,    // nothing found that blocks AOT
  kSome,     // a few places to change
  kMany,     // many places, or a library that is not ready
  kRewrite,  // no AOT build of the language exists
};
// "done", "ready", "some changes", "many changes", "rewrite".
std::string_view ReadinessName(Readiness readiness);

struct Assessment {
  InspectReport report;
  Readiness readiness = Readiness::kReady;
  std::size_t blockers = 0;        // distinct findings that block AOT
  std::uint64_t places = 0;        // calls they stand for
  std::vector<std::string> rules;  // their ids, each once
  bool stepping_stone = false;     // ReadyToRun first: it needs no changes
  std::string advice;              // what to do with this one
};

// The reports in the order in which their functions should move to AOT: least work first, and among
// equals the ones with most to gain. Those that are done come last.
std::vector<Assessment> Assess(std::vector<InspectReport> reports);

// As one JSON document: {"migration": [...]}, in the same order. Ends with a line feed.
std::string AssessJson(const std::vector<Assessment>& assessments);

}  // namespace kelvin::package

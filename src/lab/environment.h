#pragma once

#include <string>
#include <vector>

#include "lab/record.h"

namespace kelvin::lab {

// Whether a record's milliseconds may stand beside those of AWS, and why not.
struct Comparability {
  bool comparable = false;
  std::string sentence;
};
Comparability ComparableWithAws(const Record& record);

// What the machine was, which limits were in force, and what made the figures worse than they could
// be (load, governor, a quota).
std::vector<std::string> EnvironmentLines(const Record& record);

}  // namespace kelvin::lab

#pragma once

#include "engine/engine.h"
#include "engine/exports.h"

namespace kelvin::engine {

// From now on a crash (a bad access, an illegal instruction, abort) first writes where it happened
// to standard error, with the names of compiled functions, and then ends the process as it would
// have without. Both arguments outlive the process.
void ReportCrashes(Engine& engine, const Exports& exports);

}  // namespace kelvin::engine

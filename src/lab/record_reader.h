#pragma once

#include <expected>
#include <string_view>

#include "base/error.h"
#include "lab/record.h"

namespace kelvin::lab {

// Reads a record, or the journal of a run that did not end (see RecordKeeper), whose state stays
// "running"; a last line that was cut short is left out. Fails with kCorrupt, saying where and what
// was expected: a file that is no record, of another schema version, cut short, or edited by hand
// so that it contradicts itself (each sample's figures are those of its REPORT line).
std::expected<Record, Error> ParseRecord(std::string_view text);

}  // namespace kelvin::lab

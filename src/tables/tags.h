#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tables/failure.h"
#include "tables/fields.h"

namespace kelvin::tables {

struct Tag {
  std::string_view key;
  std::string_view value;
};

// The member Tags. Notes faults of its shape.
std::vector<Tag> ReadTags(const Fields& fields);
// Keys and values within the protocol's lengths, and 50 at most together with `existing`.
Outcome<void> CheckTags(const std::vector<Tag>& tags,
                        const std::map<std::string, std::string>& existing);

}  // namespace kelvin::tables

#pragma once

#include <expected>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "lab/cost.h"
#include "lab/record.h"
#include "lab/table.h"

namespace kelvin::lab {

// A month of one build, by name.
struct NamedUsage {
  std::string name;
  Usage usage;
};

// What a month of each function of a record comes to: billed as measured, `requests` of which the
// record's or the given share is cold. Functions without warm samples are left out.
std::vector<NamedUsage> UsagesOf(const Record& record, const PriceTable& prices, double requests,
                                 std::optional<double> cold_share, const std::string& region);

// One row a build: parts and total, with the free tier too; at its own memory size, and at the
// largest of them all, which is the fair comparison of the builds themselves. Fails with kNotFound
// where the table has no price.
std::expected<Table, Error> CostTable(const std::vector<NamedUsage>& usages,
                                      const PriceTable& prices);

// "item-aot saves 67 % against item-jit at equal memory, 73 % at their own" for each build that is
// cheaper than the dearest. Fails as CostTable.
std::expected<std::vector<std::string>, Error> SavingLines(const std::vector<NamedUsage>& usages,
                                                           const PriceTable& prices);

}  // namespace kelvin::lab

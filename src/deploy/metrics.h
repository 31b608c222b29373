#pragma once

#include <memory>
#include <string_view>

#include "deploy/api.h"
#include "deploy/rollout.h"

namespace kelvin::deploy {

// CloudWatch's metrics of Lambda by executed version. Whole minutes; CloudWatch may be a minute or
// two behind. The api outlives it.
std::unique_ptr<Metrics> CloudWatchMetrics(Api& api, const Clock& clock);
// What `kelvin serve` counts itself, to the millisecond and without delay.
std::unique_ptr<Metrics> LocalMetrics(Api& api);

// The values of one result in CloudWatch's answer (XML) to GetMetricData, by the query's id.
std::vector<double> MetricValues(std::string_view xml, std::string_view id);

}  // namespace kelvin::deploy

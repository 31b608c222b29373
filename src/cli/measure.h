#pragma once

#include <functional>
#include <vector>

#include "aws/lambda_client.h"
#include "cli/compare_options.h"
#include "cli/host.h"
#include "lab/cost.h"
#include "lab/record.h"
#include "lab/run.h"

namespace kelvin::cli {

// The measuring half, on a Lambda that has the functions already: keeps compare.json in the folder
// options.out while it goes, shows progress on standard error, and says how it ended. `record`
// holds what the caller knows of the endpoint.
int MeasureAndSave(aws::LambdaClient& client, const std::vector<lab::Subject>& subjects,
                   const CompareOptions& options, const std::function<bool()>& stop_requested,
                   const Host& host, lab::Record& record);

// The reporting half: writes compare.md beside the record, and the table, or the record as JSON, to
// standard output. Gives `exit_code` back, or that of a failure.
int WriteReports(const lab::Record& record, const CompareOptions& options,
                 const lab::PriceTable& prices, const Host& host, int exit_code);

}  // namespace kelvin::cli

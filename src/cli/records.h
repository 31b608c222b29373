#pragma once

#include <expected>
#include <string>
#include <vector>

#include "cli/compare_options.h"
#include "cli/host.h"
#include "lab/cost.h"
#include "lab/record.h"

// The commands that work on saved records and figures, and what they read.
namespace kelvin::cli {

// A record or a journal. Fails with kInvalidArgument, naming the file.
std::expected<lab::Record, Error> ReadRecord(const std::string& path);

// The price file, or the built-in prices where no file is named.
std::expected<lab::PriceTable, Error> ReadPrices(const std::string& path);

// Fails with kInvalidArgument when the table has no price for the region.
std::expected<void, Error> CheckRegion(const lab::PriceTable& prices, const std::string& region);

// Two saved records: the exit code is kExitFinding when a rule is broken.
int CompareSaved(const CompareOptions& options, const Host& host);

// kelvin report, kelvin cost, kelvin advise.
int ReportRecord(const std::vector<std::string>& arguments, const Host& host);
int Cost(const std::vector<std::string>& arguments, const Host& host);
int Advise(const std::vector<std::string>& arguments, const Host& host);

}  // namespace kelvin::cli

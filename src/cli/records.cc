#include "cli/records.h"

#include <charconv>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/file.h"
#include "cli/exit_code.h"
#include "lab/advice.h"
#include "lab/cost_report.h"
#include "lab/record_reader.h"
#include "lab/regression.h"
#include "lab/report.h"

namespace kelvin::cli {
namespace {

constexpr std::string_view kReportExamples =
    "  kelvin report out/compare.json\n"
    "      the table again\n"
    "  kelvin report out/compare.json --format html --output compare.html\n"
    "      one page with charts, which needs no network\n"
    "  kelvin report out/compare.json --format samples | head\n"
    "      every raw sample as CSV\n";

constexpr std::string_view kCostExamples =
    "  kelvin cost out/compare.json --requests 10M --cold-share 0.02\n"
    "      what was measured\n"
    "  kelvin cost --memory 512 --duration 91 --requests 1M\n"
    "      given figures: billed milliseconds at 512 MB\n"
    "  kelvin cost out/compare.json --region eu-south-1 --prices my-prices.json\n"
    "      another region, another price list\n";

constexpr std::string_view kAdviseExamples =
    "  kelvin advise out/compare.json --cold-target 100ms --requests 10M\n"
    "  kelvin advise out/compare.json --plugins --json\n";

// "10M", "1500", "2.5k".
std::expected<double, Stop> ParseCount(const std::string& text) {
  double amount = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), amount);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  double scale = 1;
  if (unit == "k" || unit == "K") scale = 1e3;
  if (unit == "M") scale = 1e6;
  if (unit == "B" || unit == "G") scale = 1e9;
  const double count = amount * scale;
  if (error != std::errc{} || (scale == 1 && !unit.empty()) || !(count >= 1) || count > 1e15) {
    return std::unexpected(UsageStop(
        fmt::format("expected --requests to be a number such as 1500000 or 10M, got '{}'", text)));
  }
  return count;
}

// "100ms", "1.5s", "100".
std::expected<double, Stop> ParseMs(const std::string& text, std::string_view option) {
  double amount = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), amount);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  const bool known = unit.empty() || unit == "ms" || unit == "s";
  const double ms = amount * (unit == "s" ? 1000 : 1);
  if (error != std::errc{} || !known || !(ms > 0) || ms > 1e9) {
    return std::unexpected(UsageStop(
        fmt::format("expected {} to be a time such as 100ms or 1.5s, got '{}'", option, text)));
  }
  return ms;
}

CLI::Validator Share() {
  return CLI::Range(0.0, 1.0).description("");
}

int WriteTo(const std::string& path, const std::string& text, const Host& host) {
  if (path.empty()) {
    host.out.write(text);
    return kExitOk;
  }
  const auto written = WriteFileAtomically(path, text);
  return written ? kExitOk : Fail(host, kExitEnvironment, written.error().message);
}

}  // namespace

std::expected<lab::Record, Error> ReadRecord(const std::string& path) {
  const auto text = ReadFile(path);
  if (!text) {
    return std::unexpected(Error{ErrorCode::kInvalidArgument,
                                 fmt::format("expected a record of 'kelvin compare' at {}: {}",
                                             path, text.error().message)});
  }
  auto record = lab::ParseRecord(*text);
  if (!record) {
    return std::unexpected(
        Error{ErrorCode::kInvalidArgument, fmt::format("{}: {}", path, record.error().message)});
  }
  return record;
}

std::expected<lab::PriceTable, Error> ReadPrices(const std::string& path) {
  if (path.empty()) return lab::ParsePriceTable(lab::BuiltInPrices());
  const auto text = ReadFile(path);
  if (!text) return std::unexpected(text.error());
  auto prices = lab::ParsePriceTable(*text);
  if (!prices) prices.error().message = path + ": " + prices.error().message;
  return prices;
}

std::expected<void, Error> CheckRegion(const lab::PriceTable& prices, const std::string& region) {
  const auto cost = lab::MonthlyCost(prices, lab::Usage{.region = region});
  if (cost) return {};
  return std::unexpected(Error{ErrorCode::kInvalidArgument, cost.error().message});
}

int CompareSaved(const CompareOptions& options, const Host& host) {
  std::vector<lab::FailIf> rules;
  for (const std::string& text : options.fail_if) {
    auto rule = lab::ParseFailIf(text);
    if (!rule) return Fail(host, rule.error());
    rules.push_back(std::move(*rule));
  }
  const auto prices = ReadPrices(options.prices);
  if (!prices) return Fail(host, prices.error());
  const auto before = ReadRecord(options.records[0]);
  if (!before) return Fail(host, before.error());
  const auto after = ReadRecord(options.records[1]);
  if (!after) return Fail(host, after.error());
  const auto found = lab::CompareRecords(*before, *after, rules, *prices);
  if (!found) return Fail(host, found.error());
  host.out.write(lab::RegressionText(*found, StyleOf(host)));
  if (!options.summary.empty()) {
    const int written =
        WriteTo(options.summary, lab::RegressionMarkdown(*found, *before, *after), host);
    if (written != kExitOk) return written;
  }
  return found->failed() ? kExitFinding : kExitOk;
}

int ReportRecord(const std::vector<std::string>& arguments, const Host& host) {
  std::string path;
  std::string format = "table";
  std::string output;
  std::string price_file;
  Arguments parser("report", "Makes a report of a saved record.", std::string(kReportExamples));
  CLI::App& app = parser.app();
  app.add_option("RECORD", path, "compare.json, or a compare.journal")->required();
  app.add_option("--format", format, "table, markdown, csv, samples, json, html or svg")
      ->check(CLI::IsMember({"table", "markdown", "csv", "samples", "json", "html", "svg"}))
      ->capture_default_str();
  app.add_option("--output", output, "File instead of standard output")->type_name("FILE");
  app.add_option("--prices", price_file, "Price file instead of the built-in one")
      ->type_name("FILE");
  if (auto parsed = parser.Parse(arguments); !parsed) return Report(host, parsed.error());
  const auto prices = ReadPrices(price_file);
  if (!prices) return Fail(host, prices.error());
  const auto record = ReadRecord(path);
  if (!record) return Fail(host, record.error());
  std::string text;
  if (format == "table") text = lab::TerminalReport(*record, *prices, StyleOf(host));
  if (format == "markdown") text = lab::MarkdownReport(*record, *prices);
  if (format == "csv") text = lab::CsvReport(*record, *prices);
  if (format == "samples") text = lab::CsvSamples(*record);
  if (format == "json") text = lab::RecordJson(*record);
  if (format == "html") text = lab::HtmlReport(*record, *prices);
  if (format == "svg") text = lab::SvgReport(*record, *prices);
  return WriteTo(output, text, host);
}

int Cost(const std::vector<std::string>& arguments, const Host& host) {
  std::string path;
  std::string requests_text = "1M";
  std::string duration;
  std::string init;
  std::string price_file;
  std::string region;
  double cold_share = 0.01;
  lab::Usage usage;
  Arguments parser("cost", "What a month costs: of a saved record, or of given figures.",
                   std::string(kCostExamples));
  CLI::App& app = parser.app();
  app.add_option("RECORD", path, "compare.json");
  app.add_option("--requests", requests_text, "A month; k, M and B are understood")
      ->type_name("N")
      ->capture_default_str();
  CLI::Option* share = app.add_option("--cold-share", cold_share, "Share of cold requests")
                           ->type_name("SHARE")
                           ->check(Share())
                           ->capture_default_str();
  CLI::Option* memory =
      parser.AddNumber("--memory", usage.memory_mb, 128, 10240, "MB, of given figures");
  CLI::Option* duration_option =
      app.add_option("--duration", duration, "Billed time of a warm invoke, of given figures")
          ->type_name("TIME");
  app.add_option("--init", init, "Billed init of a cold one, on top of that")->type_name("TIME");
  app.add_option("--arch", usage.architecture, "x86_64 or arm64, of given figures")
      ->check(CLI::IsMember({"x86_64", "arm64"}))
      ->capture_default_str();
  parser.AddNumber("--tmp", usage.tmp_mb, 512, 10240, "Size of /tmp in MB, of given figures");
  app.add_option("--region", region, "Whose prices count; default: the record's, or us-east-1")
      ->type_name("REGION");
  app.add_option("--prices", price_file, "Price file instead of the built-in one")
      ->type_name("FILE");
  if (auto parsed = parser.Parse(arguments); !parsed) return Report(host, parsed.error());
  const auto requests = ParseCount(requests_text);
  if (!requests) return Report(host, requests.error());
  const auto prices = ReadPrices(price_file);
  if (!prices) return Fail(host, prices.error());
  const bool given = duration_option->count() > 0 || memory->count() > 0;
  if (given == !path.empty()) {
    return Fail(host, kExitUsage,
                "expected either a record, or --memory and --duration; see 'kelvin cost --help'");
  }
  std::vector<lab::NamedUsage> usages;
  if (path.empty()) {
    const auto warm = ParseMs(duration, "--duration");
    if (!warm) return Report(host, warm.error());
    const auto cold = init.empty() ? std::expected<double, Stop>(0.0) : ParseMs(init, "--init");
    if (!cold) return Report(host, cold.error());
    usage.requests = *requests;
    usage.warm_billed_ms = *warm;
    usage.cold_billed_ms = *warm + *cold;
    usage.cold_share = init.empty() ? 0 : cold_share;
    if (!region.empty()) usage.region = region;
    usages.push_back({"given", usage});
  } else {
    const auto record = ReadRecord(path);
    if (!record) return Fail(host, record.error());
    usages = lab::UsagesOf(*record, *prices, *requests,
                           share->count() > 0 ? std::optional(cold_share) : std::nullopt, region);
    if (usages.empty()) {
      return Fail(host, kExitUsage, fmt::format("expected warm samples in {}, found none", path));
    }
  }
  const auto table = lab::CostTable(usages, *prices);
  if (!table) return Fail(host, kExitUsage, table.error().message);
  const auto savings = lab::SavingLines(usages, *prices);
  host.out.write(lab::RenderTable(*table, StyleOf(host)));
  host.out.write(fmt::format(
      "\nUSD a month for {:g} requests, {:g} % of them cold, at {} prices "
      "of {}.\n",
      *requests, usages.front().usage.cold_share * 100, usages.front().usage.region, prices->date));
  if (savings) {
    for (const std::string& line : *savings) host.out.write(line + '\n');
  }
  return kExitOk;
}

int Advise(const std::vector<std::string>& arguments, const Host& host) {
  std::string path;
  std::string requests = "1M";
  std::string cold_target;
  std::string price_file;
  double budget = 0;
  bool json = false;
  lab::Needs needs;
  Arguments parser("advise", "Says which build to ship, by the figures of a record.",
                   std::string(kAdviseExamples));
  CLI::App& app = parser.app();
  app.add_option("RECORD", path, "compare.json")->required();
  app.add_option("--cold-target", cold_target, "A cold start may take this long")
      ->type_name("TIME");
  app.add_option("--requests", requests, "A month")->type_name("N")->capture_default_str();
  CLI::Option* budget_option = app.add_option("--budget", budget, "US dollars a month")
                                   ->type_name("USD")
                                   ->check(CLI::NonNegativeNumber);
  app.add_flag("--plugins,--dynamic-loading", needs.plugins, "Code is loaded while it runs");
  app.add_flag("--reflection", needs.reflection, "Heavy use of run-time reflection");
  app.add_flag("--long-running", needs.long_running, "Invokes that compute for minutes");
  app.add_flag("--prototype", needs.prototype, "The turn of edit and run counts most");
  app.add_flag("--migration", needs.migration, "An existing function is moved, at low risk");
  app.add_option("--prices", price_file, "Price file instead of the built-in one")
      ->type_name("FILE");
  app.add_flag("--json", json, "Print the advice as JSON");
  if (auto parsed = parser.Parse(arguments); !parsed) return Report(host, parsed.error());
  const auto count = ParseCount(requests);
  if (!count) return Report(host, count.error());
  needs.requests = *count;
  if (!cold_target.empty()) {
    const auto target = ParseMs(cold_target, "--cold-target");
    if (!target) return Report(host, target.error());
    needs.cold_target_ms = *target;
  }
  if (budget_option->count() > 0) needs.budget_usd = budget;
  const auto prices = ReadPrices(price_file);
  if (!prices) return Fail(host, prices.error());
  const auto record = ReadRecord(path);
  if (!record) return Fail(host, record.error());
  const auto advice = lab::Advise(*record, *prices, needs);
  if (advice.empty()) {
    return Fail(host, kExitUsage,
                fmt::format("expected a function with cold and warm samples and a price in {}, "
                            "found none",
                            path));
  }
  host.out.write(json ? lab::AdviceJson(advice) : lab::AdviceText(advice, *record, needs));
  return kExitOk;
}

}  // namespace kelvin::cli

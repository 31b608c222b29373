#include "cli/measure.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "base/file.h"
#include "cli/exit_code.h"
#include "cli/lambda_endpoint.h"
#include "lab/journal.h"
#include "lab/progress.h"
#include "lab/report.h"
#include "lab/sweep.h"

namespace kelvin::cli {
namespace {

std::string BaseName(const CompareOptions& options) {
  return options.sweep_memory.empty() ? "compare" : "sweep";
}

std::filesystem::path OutputPath(const CompareOptions& options, std::string_view name) {
  return std::filesystem::path(options.out) / name;
}

void TellGivenUp(const lab::Record& record, const Host& host) {
  for (const lab::Function& function : record.functions) {
    if (function.abandoned.empty()) continue;
    host.err.write(fmt::format("kelvin: {} was given up: {}\n", function.name, function.abandoned));
  }
}

bool AnyGivenUp(const lab::Record& record) {
  for (const lab::Function& function : record.functions) {
    if (!function.abandoned.empty()) return true;
  }
  return false;
}

}  // namespace

int MeasureAndSave(aws::LambdaClient& client, const std::vector<lab::Subject>& subjects,
                   const CompareOptions& options, const std::function<bool()>& stop_requested,
                   const Host& host, lab::Record& record) {
  auto keeper = lab::RecordKeeper::Create(OutputPath(options, BaseName(options) + ".json"));
  if (!keeper) return Fail(host, kExitEnvironment, keeper.error().message);
  if (!keeper->kept_journal().empty() && options.resume.empty()) {
    host.err.write(fmt::format(
        "kelvin: an earlier run was cut short; go on with it by 'kelvin compare --resume {}'\n",
        keeper->kept_journal().native()));
  }
  lab::ProgressPrinter progress(
      host.clock, host.err.terminal ? lab::ProgressForm::kLine : lab::ProgressForm::kLines,
      host.err.width, host.err.write);
  lab::RunOptions run_options;
  run_options.plan = options.plan;
  run_options.budget = options.budget;
  if (options.remote && !options.sweep_memory.empty()) {
    run_options.plan.warm_order = lab::WarmOrder::kInTurn;  // they share one function
  }
  lab::RunHooks hooks;
  hooks.on_progress = [&](const lab::Progress& shown) { progress.Show(shown); };
  hooks.stop_requested = stop_requested;
  hooks.save = [&](const lab::Record& current) {
    return current.state == "running" ? keeper->Append(current) : keeper->Finish(current);
  };
  const auto run = lab::Run(client, host.clock, subjects, run_options, hooks, record);
  progress.Clear();
  if (!run && run.error().code == ErrorCode::kInvalidArgument) return Fail(host, run.error());
  if (!run && run.error().code == ErrorCode::kNotFound) {
    return Fail(host, kExitUsage, run.error().message);
  }
  if (!run) return Fail(host, kExitEnvironment, CallFailure(run.error()));
  if (record.state == "interrupted") return kExitInterrupted;
  TellGivenUp(record, host);
  return AnyGivenUp(record) ? kExitFinding : kExitOk;
}

int WriteReports(const lab::Record& record, const CompareOptions& options,
                 const lab::PriceTable& prices, const Host& host, int exit_code) {
  if (record.samples.empty()) return exit_code;  // nothing was measured, and why has been said
  const std::string base = BaseName(options);
  std::expected<void, Error> written;
  const auto write = [&](std::string_view extension, const std::string& text) {
    if (written)
      written = WriteFileAtomically(OutputPath(options, base + std::string(extension)), text);
  };
  write(".md", MarkdownReport(record, prices));
  write(".csv", CsvReport(record, prices));
  write(".html", HtmlReport(record, prices));
  if (options.format == Format::kJson) {
    host.out.write(lab::RecordJson(record));
  } else if (base == "sweep") {
    host.out.write(lab::SweepReport(record, prices, options.sweep, StyleOf(host)));
  } else {
    host.out.write(lab::TerminalReport(record, prices, StyleOf(host)));
  }
  if (!written) return Fail(host, kExitEnvironment, written.error().message);
  host.err.write(fmt::format("\nSaved in {} and .md, .csv, .html beside it{}\n",
                             OutputPath(options, base + ".json").native(),
                             exit_code == kExitInterrupted
                                 ? " (interrupted: 'kelvin compare --resume' goes on with it)"
                                 : ""));
  return exit_code;
}

}  // namespace kelvin::cli

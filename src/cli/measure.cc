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

namespace kelvin::cli {
namespace {

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
  auto keeper = lab::RecordKeeper::Create(OutputPath(options, "compare.json"));
  if (!keeper) return Fail(host, kExitEnvironment, keeper.error().message);
  lab::ProgressPrinter progress(
      host.clock, host.err.terminal ? lab::ProgressForm::kLine : lab::ProgressForm::kLines,
      host.err.width, host.err.write);
  lab::RunOptions run_options;
  run_options.plan = options.plan;
  lab::RunHooks hooks;
  hooks.on_progress = [&](const lab::Progress& shown) { progress.Show(shown); };
  hooks.stop_requested = stop_requested;
  hooks.save = [&](const lab::Record& current) {
    return current.state == "running" ? keeper->Append(current) : keeper->Finish(current);
  };
  const auto run = lab::Run(client, host.clock, subjects, run_options, hooks, record);
  progress.Clear();
  if (!run && run.error().code == ErrorCode::kUnavailable) {
    return Fail(host, kExitEnvironment, CallFailure(run.error()));
  }
  if (!run) return Fail(host, run.error());
  if (record.state == "interrupted") return kExitInterrupted;
  TellGivenUp(record, host);
  return AnyGivenUp(record) ? kExitFinding : kExitOk;
}

int WriteReports(const lab::Record& record, const CompareOptions& options,
                 const lab::PriceTable& prices, const Host& host, int exit_code) {
  if (record.samples.empty()) return exit_code;  // nothing was measured, and why has been said
  const auto written =
      WriteFileAtomically(OutputPath(options, "compare.md"), MarkdownReport(record, prices));
  if (options.format == Format::kJson) {
    host.out.write(lab::RecordJson(record));
  } else {
    host.out.write(lab::TerminalReport(record, prices, StyleOf(host)));
  }
  if (!written) return Fail(host, kExitEnvironment, written.error().message);
  host.err.write(fmt::format("\nSaved in {} and {}{}\n",
                             OutputPath(options, "compare.json").native(),
                             OutputPath(options, "compare.md").native(),
                             exit_code == kExitInterrupted ? " (interrupted: not all of it)" : ""));
  return exit_code;
}

}  // namespace kelvin::cli

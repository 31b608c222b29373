#include "cli/commands.h"

#include <algorithm>

#include <fmt/format.h>

#include "cli/arguments.h"
#include "cli/assess.h"
#include "cli/compare.h"
#include "cli/completion.h"
#include "cli/deploy_command.h"
#include "cli/destroy_command.h"
#include "cli/example_events.h"
#include "cli/exit_code.h"
#include "cli/inspect.h"
#include "cli/invoke.h"
#include "cli/logs_command.h"
#include "cli/new_command.h"
#include "cli/pack.h"
#include "cli/records.h"
#include "cli/rollback_command.h"
#include "cli/rollout_command.h"
#include "cli/serve.h"
#include "cli/suggest.h"
#include "cli/tables_command.h"
#include "cli/template_command.h"
#include "cli/version.h"

namespace kelvin::cli {
namespace {

int Help(const std::vector<std::string>& arguments, const Host& host);

struct Command {
  std::string_view name;
  std::string_view summary;
  int (*run)(const std::vector<std::string>& arguments, const Host& host);
};

constexpr Command kCommands[] = {
    {"new", "write a new function, from one of the examples", New},
    {"compare", "measure functions, cold and warm, and compare them", Compare},
    {"sweep", "measure a function at several memory sizes, recommend one", Sweep},
    {"report", "make a report of a saved record: table, Markdown, CSV, HTML, SVG", ReportRecord},
    {"cost", "what a month costs, of a record or of given figures", Cost},
    {"advise", "say which build to ship, by the figures of a record", Advise},
    {"serve", "run Lambda and DynamoDB on this machine", Serve},
    {"tables", "run DynamoDB alone, import and export tables", TablesCommand},
    {"invoke", "invoke a function once", Invoke},
    {"events", "print example events of AWS services, to invoke functions with", Events},
    {"logs", "print what a function logs, and go on with it", Logs},
    {"inspect", "say what a package is, and what in it will hurt", Inspect},
    {"assess", "say which packages to move to AOT, in which order", Assess},
    {"pack", "make a byte-reproducible zip or container image", Pack},
    {"template", "write a CloudFormation, SAM or Terraform template", Template},
    {"deploy", "create or update functions on AWS or on this machine", Deploy},
    {"rollout", "move an alias to a new version step by step", Rollout},
    {"rollback", "point an alias back at an older version", Rollback},
    {"destroy", "delete what deploy made", Destroy},
    {"completion", "print what makes bash, zsh or fish complete command lines", Completion},
    {"version", "print the version", Version},
    {"help", "print this, or the help of a command", Help},
};

const Command* Find(std::string_view name) {
  const auto* found = std::ranges::find(kCommands, name, &Command::name);
  return found == std::end(kCommands) ? nullptr : found;
}

std::string HelpText() {
  std::string text =
      "Kelvin takes the cold out of AWS Lambda: it runs functions on this machine and measures "
      "how\n"
      "each build of them starts, answers and costs.\n\n"
      "Usage: kelvin COMMAND [OPTIONS]\n\nCommands:\n";
  for (const Command& command : kCommands) {
    text += fmt::format("  {:12}{}\n", command.name, command.summary);
  }
  text +=
      "\nExamples:\n"
      "  kelvin compare                    the functions of kelvin.toml, on a service of its own\n"
      "  kelvin compare old.zip new.zip    any two packages\n"
      "  kelvin serve                      a local endpoint for any AWS client\n"
      "  kelvin compare --help             all about a command\n\n"
      "Exit codes: 0 well, 1 something measured or invoked failed, 2 wrong command line or input\n"
      "file, 3 the host or an endpoint does not play along, 130 interrupted.\n";
  return text;
}

int Help(const std::vector<std::string>& arguments, const Host& host) {
  if (!arguments.empty() && arguments.front() != "help") {
    if (const Command* command = Find(arguments.front())) return command->run({"--help"}, host);
  }
  host.out.write(HelpText());
  return kExitOk;
}

// For the shells' completion: `words` are those after "kelvin", the last of them unfinished.
int Complete(const std::vector<std::string>& words, const Host& host) {
  const std::string_view first = words.empty() ? std::string_view() : words.front();
  const bool names_command = words.size() < 2 || (first == "help" && words.size() == 2);
  if (!names_command) {
    std::vector<std::string> rest(words.begin() + 1, words.end());
    rest.emplace(rest.begin(), kCompleteFlag);
    const Command* const command = Find(first);
    return command == nullptr ? kExitOk : command->run(rest, host);
  }
  for (const Command& command : kCommands) {
    const bool fits = words.empty() || command.name.starts_with(words.back());
    if (fits) host.out.write(fmt::format("{}\n", command.name));
  }
  return kExitOk;
}

}  // namespace

int RunCommand(const std::vector<std::string>& arguments, const Host& host) {
  if (arguments.empty()) {
    host.err.write(HelpText());
    return kExitUsage;
  }
  const std::string& name = arguments.front();
  const std::vector<std::string> rest(arguments.begin() + 1, arguments.end());
  if (name == "-h" || name == "--help") return Help(rest, host);
  if (name == "--version") return Version({}, host);
  if (name == "complete") return Complete(rest, host);
  if (const Command* command = Find(name)) return command->run(rest, host);
  std::vector<std::string> names;
  for (const Command& command : kCommands) names.emplace_back(command.name);
  return Fail(host, kExitUsage,
              fmt::format("expected a command, got '{}'{}; see 'kelvin help'", name,
                          DidYouMean(name, names)));
}

}  // namespace kelvin::cli

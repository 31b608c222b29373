#include "cli/example_events.h"

#include <algorithm>

#include <fmt/format.h>

#include "cli/arguments.h"
#include "cli/exit_code.h"
#include "cli/suggest.h"

namespace kelvin::cli {
namespace {

constexpr std::string_view kExamples =
    "  kelvin events\n"
    "      the names, and who sends such events\n"
    "  kelvin events sqs > event.json\n"
    "      one of them, to be changed\n"
    "  kelvin invoke hello --payload example:sqs\n"
    "      a function invoked with it\n";

std::string List() {
  std::string text;
  for (const ExampleEvent& event : ExampleEvents()) {
    text += fmt::format("{:22}{}\n", event.name, event.sender);
  }
  return text;
}

}  // namespace

const ExampleEvent* FindExampleEvent(std::string_view name) {
  const auto found = std::ranges::find(ExampleEvents(), name, &ExampleEvent::name);
  return found == ExampleEvents().end() ? nullptr : &*found;
}

std::string NoSuchExample(std::string_view name) {
  std::vector<std::string> names;
  for (const ExampleEvent& event : ExampleEvents()) names.emplace_back(event.name);
  return fmt::format("expected the name of an example event, got '{}'{}; see 'kelvin events'", name,
                     DidYouMean(name, names));
}

int Events(const std::vector<std::string>& arguments, const Host& host) {
  std::string name;
  Arguments parser("events", "Lists example events of AWS services, or prints one.",
                   std::string(kExamples));
  parser.app().add_option("NAME", name, "Of the event to print; default: list all");
  if (auto parsed = parser.Parse(arguments); !parsed) return Report(host, parsed.error());
  if (name.empty()) {
    host.out.write(List());
    return kExitOk;
  }
  const ExampleEvent* const event = FindExampleEvent(name);
  if (event == nullptr) return Fail(host, kExitUsage, NoSuchExample(name));
  host.out.write(event->json);
  return kExitOk;
}

}  // namespace kelvin::cli

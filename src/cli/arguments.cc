#include "cli/arguments.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "cli/exit_code.h"
#include "cli/suggest.h"

namespace kelvin::cli {
namespace {

// What an option's value is one of: CLI11 writes "NAME:{a,b}". None when it may be anything.
std::vector<std::string> ValuesOf(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const auto open = type.find('{');
  const auto close = type.find('}', open);
  if (close == std::string::npos) return {};
  return CLI::detail::split(type.substr(open + 1, close - open - 1), ',');
}

}  // namespace

int Report(const Host& host, const Stop& stop) {
  if (stop.exit_code != kExitOk) return Fail(host, stop.exit_code, stop.text);
  host.out.write(stop.text);
  return kExitOk;
}

Stop UsageStop(std::string message) {
  return Stop{kExitUsage, std::move(message)};
}

Arguments::Arguments(std::string command, std::string description, std::string examples)
    : command_(std::move(command)), app_(std::move(description), "kelvin " + command_) {
  app_.footer("Examples:\n" + std::move(examples));
  app_.allow_extras();  // so that unknown ones can be answered with what was meant
}

CLI::Validator Arguments::NumberWithin(std::int64_t low, std::int64_t high) {
  const auto check = [low, high](const std::string& text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool whole = error == std::errc{} && end == text.data() + text.size();
    if (whole && number >= low && number <= high) return std::string();
    return fmt::format("expected a whole number from {} to {}, got '{}'", low, high, text);
  };
  return CLI::Validator(check, "");
}

std::string Arguments::SeeHelp() const {
  return fmt::format("; see 'kelvin {} --help'", command_);
}

std::string Arguments::Unknown(const std::string& argument) const {
  if (!argument.starts_with('-')) {
    return fmt::format("expected no further argument of 'kelvin {}', got '{}'{}", command_,
                       argument, SeeHelp());
  }
  const std::string name = argument.substr(0, argument.find('='));
  std::vector<std::string> known;
  for (const CLI::Option* option : app_.get_options()) {
    for (const std::string& long_name : option->get_lnames()) known.push_back("--" + long_name);
  }
  return fmt::format("expected an option of 'kelvin {}', got {}{}{}", command_, name,
                     DidYouMean(name, known), SeeHelp());
}

std::string Arguments::Candidates(const std::vector<std::string>& words) const {
  const std::string current = words.empty() ? "" : words.back();
  const CLI::Option* const before =
      words.size() < 2 ? nullptr : app_.get_option_no_throw(words[words.size() - 2]);
  std::vector<std::string> candidates;
  if (before != nullptr && before->get_expected_min() > 0) {
    candidates = ValuesOf(*before);
  } else if (current.starts_with('-')) {
    for (const CLI::Option* option : app_.get_options()) {
      for (const std::string& name : option->get_lnames()) candidates.push_back("--" + name);
    }
  } else {
    for (const CLI::Option* option : app_.get_options()) {
      if (!option->get_positional()) continue;
      for (std::string& value : ValuesOf(*option)) candidates.push_back(std::move(value));
    }
  }
  std::string text;
  for (const std::string& candidate : candidates) {
    if (candidate.starts_with(current)) text += candidate + '\n';
  }
  return text;
}

std::expected<void, Stop> Arguments::Parse(const std::vector<std::string>& arguments) {
  if (!arguments.empty() && arguments.front() == kCompleteFlag) {
    return std::unexpected(Stop{kExitOk, Candidates({arguments.begin() + 1, arguments.end()})});
  }
  // CLI11 takes them from the back.
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    app_.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    return std::unexpected(Stop{kExitOk, app_.help()});
  } catch (const CLI::ParseError& error) {
    return std::unexpected(UsageStop(error.what() + SeeHelp()));
  }
  if (const auto extras = app_.remaining(); !extras.empty()) {
    return std::unexpected(UsageStop(Unknown(extras.front())));
  }
  return {};
}

}  // namespace kelvin::cli

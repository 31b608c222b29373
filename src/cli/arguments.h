#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/host.h"

namespace kelvin::cli {

// Why a command does not run: help was asked for, or the command line is wrong.
struct Stop {
  int exit_code = 0;
  std::string text;  // help, or the message of an error
};

// Writes the text where it belongs and gives the exit code back.
int Report(const Host& host, const Stop& stop);

// A Stop for a command line that is wrong.
Stop UsageStop(std::string message);

// In front of the words of a command line that is being typed, the last of them unfinished: instead
// of running, the command says what that may become, a candidate a line.
constexpr std::string_view kCompleteFlag = "--complete-words";

// The options of one subcommand: CLI11, with messages in the tools' own form.
class Arguments {
 public:
  // `examples` are whole command lines with what they do, shown at the end of the help.
  Arguments(std::string command, std::string description, std::string examples);

  CLI::App& app() { return app_; }

  // A whole number within bounds.
  template <typename Number>
  CLI::Option* AddNumber(const std::string& name, Number& target, std::int64_t low,
                         std::int64_t high, const std::string& description) {
    return app_.add_option(name, target, description)
        ->type_name("N")
        ->capture_default_str()
        ->check(NumberWithin(low, high));
  }

  // Fills in the targets. An unknown option names the one that was probably meant.
  std::expected<void, Stop> Parse(const std::vector<std::string>& arguments);

 private:
  static CLI::Validator NumberWithin(std::int64_t low, std::int64_t high);
  std::string SeeHelp() const;
  std::string Unknown(const std::string& argument) const;
  std::string Candidates(const std::vector<std::string>& words) const;

  std::string command_;
  CLI::App app_;
};

}  // namespace kelvin::cli

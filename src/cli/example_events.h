#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/host.h"

namespace kelvin::cli {

// An event as an AWS service sends it to functions, for trying one without that service: the shapes
// of the Lambda developer guide's examples ("Using AWS Lambda with ..."), with values made up.
struct ExampleEvent {
  std::string_view name;
  std::string_view sender;
  std::string_view json;
};

std::span<const ExampleEvent> ExampleEvents();
const ExampleEvent* FindExampleEvent(std::string_view name);  // null when there is none
// The message about a name that no example has.
std::string NoSuchExample(std::string_view name);

// What a --payload that means an example event starts with.
constexpr std::string_view kExamplePrefix = "example:";

// kelvin events [NAME]: lists them, or prints one; gives the exit code back.
int Events(const std::vector<std::string>& arguments, const Host& host);

}  // namespace kelvin::cli

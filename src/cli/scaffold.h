#pragma once

#include <expected>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace kelvin::cli {

// An example function of this repository, as a new project starts from it.
struct Template {
  std::string_view name;     // "create-item"
  std::string_view summary;  // what it shows
  struct File {
    std::string_view name;
    std::string_view text;
  };
  std::span<const File> files;  // sources, tests, event.json
};

std::span<const Template> Templates();

// The files of a project of its own that builds, tests and measures one function: what the template
// holds, in a namespace of the new name, with CMakeLists.txt, kelvin.toml and .gitignore. Text by
// file name. Fails with kInvalidArgument for a name that Lambda or CMake would refuse and for an
// unknown template.
std::expected<std::map<std::string, std::string>, Error> NewProject(std::string_view name,
                                                                    std::string_view from);

}  // namespace kelvin::cli

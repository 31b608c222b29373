#include "handler.h"

#include <algorithm>

#include <fmt/format.h>
#include <kelvin/module.h>

#include "registry.h"

namespace plugins {
namespace {

// A name becomes a file's: nothing else may come of it.
bool IsName(const std::string& name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) { return c >= 'a' && c <= 'z'; });
}

std::expected<MakeFilterFunction*, kelvin::HandlerError> Load(const std::string& name) {
  const auto module = kelvin::LoadModule(name + ".bc");
  if (!module) return std::unexpected(module.error());
  auto* const make = module->Find<MakeFilterFunction>("MakeFilter");
  if (make == nullptr) {
    return std::unexpected(kelvin::HandlerError{
        "Function.BadPlugin", fmt::format("expected {}.bc to offer MakeFilter", name)});
  }
  return make;
}

}  // namespace

std::expected<Answer, kelvin::HandlerError> Handler::operator()(const Request& request) {
  const auto filter = Find(request.filter);
  if (!filter) return std::unexpected(filter.error());
  return Answer{(*filter)->Apply(request.text)};
}

std::expected<Filter*, kelvin::HandlerError> Handler::Find(const std::string& name) {
  if (!IsName(name)) {
    return std::unexpected(kelvin::HandlerError{
        "Function.BadRequest",
        fmt::format("expected a filter's name of the letters a to z, got '{}'", name)});
  }
  if (const auto known = filters_.find(name); known != filters_.end()) return known->second.get();
  std::expected<MakeFilterFunction*, kelvin::HandlerError> make;
  if (const auto linked = LinkedIn().find(name); linked != LinkedIn().end()) {
    make = linked->second;
  } else {
    make = Load(name);
  }
  if (!make) return std::unexpected(std::move(make.error()));
  return filters_.emplace(name, (*make)()).first->second.get();
}

}  // namespace plugins

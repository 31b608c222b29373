#pragma once

#include <expected>
#include <map>
#include <memory>
#include <string>

#include <boost/describe/class.hpp>
#include <kelvin/kelvin.h>

#include "filter.h"

namespace plugins {

struct Request {
  std::string filter;
  std::string text;
};
BOOST_DESCRIBE_STRUCT(Request, (), (filter, text))

struct Answer {
  std::string text;
};
BOOST_DESCRIBE_STRUCT(Answer, (), (text))

// Applies a filter by its name: one that is linked in, or else the plugin <name>.bc of the package,
// which is loaded at its first use.
class Handler {
 public:
  std::expected<Answer, kelvin::HandlerError> operator()(const Request& request);

 private:
  std::expected<Filter*, kelvin::HandlerError> Find(const std::string& name);

  std::map<std::string, std::unique_ptr<Filter>> filters_;
};

}  // namespace plugins

#include "service/function_url.h"

#include <fmt/format.h>

namespace kelvin::service {

std::string UrlOf(std::string_view service_url, const FunctionUrl& url) {
  return fmt::format("{}{}{}/", service_url, kFunctionUrlPrefix, url.id);
}

}  // namespace kelvin::service

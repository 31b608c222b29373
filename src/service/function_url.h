#pragma once

#include <string>
#include <string_view>

#include "service/function_record.h"

namespace kelvin::service {

// Where a function URL is served, below the service's own: "<service>/function-urls/<id>/". A name
// such as <id>.lambda-url.us-east-1.localhost would look more like AWS's, but many programs cannot
// resolve it; such a Host header is understood too.
inline constexpr std::string_view kFunctionUrlPrefix = "/function-urls/";

std::string UrlOf(std::string_view service_url, const FunctionUrl& url);

}  // namespace kelvin::service

#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "http/message.h"

namespace kelvin::aws {

// The text between the first <tag> and the '<' that ends it, with the five entities of XML decoded;
// empty without it. Enough for the flat answers of STS, IAM and S3.
std::string XmlText(std::string_view xml, std::string_view tag);

// As ErrorFromResponse, of a service that answers in XML (or in JSON: some errors come before the
// service itself).
Error ErrorFromXml(std::string_view doing, const http::Response& response);

}  // namespace kelvin::aws

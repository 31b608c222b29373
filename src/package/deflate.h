#pragma once

#include <string>
#include <string_view>

namespace kelvin::package {

// Raw deflate, as zips hold it. The same bytes give the same bytes.
std::string Deflate(std::string_view bytes);
// A gzip file without name and time stamp.
std::string Gzip(std::string_view bytes);

}  // namespace kelvin::package

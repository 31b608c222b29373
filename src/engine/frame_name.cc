#include "engine/frame_name.h"

#include <cstdlib>
#include <string_view>

#include <cxxabi.h>

namespace kelvin::engine {

std::string ReadableFrame(const std::string& name) {
  constexpr std::string_view kBody = ".body";
  const std::size_t plus = name.rfind('+');
  std::string symbol = name.substr(0, plus);
  if (symbol.ends_with(kBody)) symbol.resize(symbol.size() - kBody.size());
  const std::string offset = plus == std::string::npos ? std::string() : name.substr(plus);
  int status = 0;
  char* const plain = abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, &status);
  if (plain == nullptr) return symbol + offset;
  std::string text = plain + offset;
  std::free(plain);
  return text;
}

}  // namespace kelvin::engine

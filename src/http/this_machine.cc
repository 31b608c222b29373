#include "http/this_machine.h"

#include <algorithm>

#include "http/message.h"

namespace kelvin::http {
namespace {

bool IsLoopbackV4(std::string_view host) {
  int parts = 0;
  if (!host.starts_with("127.")) return false;
  for (;; ++parts) {
    const std::string_view part = host.substr(0, host.find('.'));
    if (part.empty() || part.size() > 3 || part.find_first_not_of("0123456789") != part.npos) {
      return false;
    }
    if (part.size() == host.size()) return parts == 3;
    host.remove_prefix(part.size() + 1);
  }
}

}  // namespace

bool IsThisMachine(std::string_view host) {
  if (host.starts_with('[')) {
    const auto end = host.find(']');
    return end != host.npos && host.substr(1, end - 1) == "::1";
  }
  host = host.substr(0, host.find(':'));
  return EqualsIgnoringCase(host, "localhost") || host.ends_with(".localhost") ||
         IsLoopbackV4(host);
}

}  // namespace kelvin::http

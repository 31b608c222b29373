#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kelvin::aws {

// One message of application/vnd.amazon.eventstream: big-endian lengths, headers, payload and two
// CRC-32s. Header values are strings here (type 7); names have at most 255 bytes, values 65535.
struct EventMessage {
  std::vector<std::pair<std::string_view, std::string_view>> headers;
  std::string_view payload;
};

// Appends the message as it goes over the wire.
void AppendEvent(const EventMessage& message, std::string& out);

}  // namespace kelvin::aws

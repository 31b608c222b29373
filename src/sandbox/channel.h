#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "base/error.h"
#include "base/file.h"

namespace kelvin::sandbox {

// Packets with file descriptors between the service, its launcher, the keepers and the runners
// (see docs/sandbox.md). All are the same program, forked, so packets are plain memory.

// Both ends close on exec. Packets arrive whole or not at all.
std::expected<std::pair<UniqueFd, UniqueFd>, Error> MakeChannel();

std::expected<void, Error> SendPacket(int channel, std::string_view bytes,
                                      const std::vector<int>& fds = {});

struct Packet {
  std::string bytes;  // empty: the other end is closed
  std::vector<UniqueFd> fds;
  pid_t sender = 0;  // as the receiver sees it; only on an end that asked for it
};
// From now on packets received at this end say who sent them.
std::expected<void, Error> AskForSenders(int channel);

// Waits for a packet; with Wait::kNo fails with kTimeout when none is there.
enum class Wait { kNo, kYes };
std::expected<Packet, Error> ReceivePacket(int channel, Wait wait);

// Strings to one packet and back. Parts hold no NUL.
std::string JoinParts(const std::vector<std::string>& parts);
std::vector<std::string> SplitParts(std::string_view bytes);

template <typename T>
std::string_view BytesOf(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

}  // namespace kelvin::sandbox

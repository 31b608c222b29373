#include "sandbox/channel.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <sys/socket.h>

namespace kelvin::sandbox {
namespace {

constexpr std::size_t kMostFds = 16;
constexpr std::size_t kMostBytes = 128 * 1024;
constexpr std::size_t kControlSize = CMSG_SPACE(kMostFds * sizeof(int)) + CMSG_SPACE(sizeof(ucred));

void TakeControl(msghdr& message, Packet& packet) {
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET) continue;
    if (header->cmsg_type == SCM_CREDENTIALS) {
      ucred sender{};
      std::memcpy(&sender, CMSG_DATA(header), sizeof sender);
      packet.sender = sender.pid;
    }
    if (header->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
      packet.fds.emplace_back(fd);
    }
  }
}

}  // namespace

std::expected<std::pair<UniqueFd, UniqueFd>, Error> MakeChannel() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return std::unexpected(ErrnoError("make a socket pair", errno));
  }
  return std::pair(UniqueFd(ends[0]), UniqueFd(ends[1]));
}

std::expected<void, Error> AskForSenders(int channel) {
  const int yes = 1;
  if (::setsockopt(channel, SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes) != 0) {
    return std::unexpected(ErrnoError("ask who sends on a socket", errno));
  }
  return {};
}

std::expected<void, Error> SendPacket(int channel, std::string_view bytes,
                                      const std::vector<int>& fds) {
  if (fds.size() > kMostFds || bytes.size() > kMostBytes) {
    return std::unexpected(
        Error{ErrorCode::kInvalidArgument,
              fmt::format("expected at most {} bytes to describe a sandbox, got {}; shorten the "
                          "environment variables",
                          kMostBytes, bytes.size())});
  }
  iovec data{const_cast<char*>(bytes.data()), bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kMostFds * sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  if (!fds.empty()) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
    std::memcpy(CMSG_DATA(header), fds.data(), fds.size() * sizeof(int));
  }
  ssize_t sent = -1;
  do {
    sent = ::sendmsg(channel, &message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) return std::unexpected(ErrnoError("send to a process of the sandbox", errno));
  return {};
}

std::expected<Packet, Error> ReceivePacket(int channel, Wait wait) {
  std::array<char, 512> small;  // what all but one kind of packet fit into
  std::string large;
  iovec data{small.data(), small.size()};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  const int flags = wait == Wait::kYes ? 0 : MSG_DONTWAIT;
  ssize_t got = -1;
  do {
    got = ::recvmsg(channel, &message, MSG_PEEK | MSG_TRUNC | flags);
    // A reset is told once, before what the other end sent last: it had not read everything.
  } while (got < 0 && (errno == EINTR || errno == ECONNRESET));
  if (got > static_cast<ssize_t>(small.size())) {
    large.resize(static_cast<std::size_t>(got));
    data = {large.data(), large.size()};
  }
  alignas(cmsghdr) std::array<char, kControlSize> control{};
  message = {};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  if (got >= 0) got = ::recvmsg(channel, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (got < 0 && errno == ECONNRESET) return Packet{};
  if (got < 0 && errno == EAGAIN) {
    return std::unexpected(Error{ErrorCode::kTimeout, "nothing has come"});
  }
  if (got < 0) return std::unexpected(ErrnoError("hear from a process of the sandbox", errno));

  Packet packet{
      .bytes = std::string(static_cast<const char*>(data.iov_base), static_cast<std::size_t>(got)),
      .fds = {}};
  TakeControl(message, packet);
  return packet;
}

std::string JoinParts(const std::vector<std::string>& parts) {
  std::string bytes;
  for (const std::string& part : parts) bytes.append(part).push_back('\0');
  return bytes;
}

std::vector<std::string> SplitParts(std::string_view bytes) {
  std::vector<std::string> parts;
  while (!bytes.empty()) {
    const std::size_t end = std::min(bytes.find('\0'), bytes.size());
    parts.emplace_back(bytes.substr(0, end));
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
  }
  return parts;
}

}  // namespace kelvin::sandbox

#include "aws/dns.h"

#include <algorithm>
#include <array>
#include <climits>
#include <memory>
#include <type_traits>

#include <ares.h>
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "aws/dns_message.h"
#include "base/file.h"

namespace kelvin::aws {
namespace {

constexpr std::chrono::seconds kLongestConnect{10};

struct ChannelCloser {
  void operator()(ares_channel channel) const { ares_destroy(channel); }
};
using Channel = std::unique_ptr<std::remove_pointer_t<ares_channel>, ChannelCloser>;

// One question and what came of it.
struct Question {
  bool done = false;
  int status = ARES_SUCCESS;
  std::vector<std::string> addresses;
};

Error NoAnswer(std::string_view host, int status) {
  if (status == ARES_ENOTFOUND || status == ARES_ENODATA || status == ARES_EBADNAME) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("expected the name of a host, but no host is called '{}': check the "
                             "endpoint and the region",
                             host)};
  }
  return Error{status == ARES_ETIMEOUT ? ErrorCode::kTimeout : ErrorCode::kUnavailable,
               fmt::format("cannot look up '{}': {}", host, ares_strerror(status))};
}

void OnAnswer(void* argument, int status, int, unsigned char* bytes, int size) {
  auto& question = *static_cast<Question*>(argument);
  question.done = true;
  question.status = status;
  if (status != ARES_SUCCESS) return;
  auto addresses =
      AddressesInDnsAnswer({reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size)});
  if (addresses) {
    question.addresses = std::move(*addresses);
  } else {
    question.status = ARES_EBADRESP;
  }
}

std::expected<Channel, Error> OpenChannel(const DnsOptions& dns) {
  ares_options options{};
  options.timeout = static_cast<int>(dns.try_timeout.count());
  options.tries = dns.tries;
  ares_channel raw = nullptr;
  int status = ares_init_options(&raw, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);
  Channel channel(raw);
  if (status == ARES_SUCCESS && !dns.servers.empty()) {
    status = ares_set_servers_ports_csv(raw, dns.servers.c_str());
  }
  if (status != ARES_SUCCESS) {
    return std::unexpected(
        Error{ErrorCode::kUnavailable,
              fmt::format("cannot set up the look-up of names: {}", ares_strerror(status))});
  }
  return channel;
}

// How long to wait for the sockets, in milliseconds for poll().
int WaitTime(ares_channel channel, Clock::TimePoint deadline) {
  timeval limit{.tv_sec = INT_MAX / 1000 - 1, .tv_usec = 0};
  if (deadline != kNoDeadline) {
    const auto left = std::chrono::ceil<std::chrono::microseconds>(
        std::max(deadline - std::chrono::steady_clock::now(), Clock::TimePoint::duration::zero()));
    if (left < std::chrono::seconds(limit.tv_sec)) {
      limit.tv_sec = left.count() / 1'000'000;
      limit.tv_usec = left.count() % 1'000'000;
    }
  }
  timeval wait{};
  const timeval* shorter = ares_timeout(channel, &limit, &wait);
  return static_cast<int>(shorter->tv_sec * 1000 + (shorter->tv_usec + 999) / 1000);
}

// Waits once for the channel's sockets and lets it act on what came.
void Step(ares_channel channel, Clock::TimePoint deadline) {
  std::array<ares_socket_t, ARES_GETSOCK_MAXNUM> sockets{};
  const int wanted = ares_getsock(channel, sockets.data(), ARES_GETSOCK_MAXNUM);
  std::array<pollfd, ARES_GETSOCK_MAXNUM> entries{};
  nfds_t count = 0;
  for (int i = 0; i < ARES_GETSOCK_MAXNUM; ++i) {
    const int events = (ARES_GETSOCK_READABLE(wanted, i) ? POLLIN : 0) |
                       (ARES_GETSOCK_WRITABLE(wanted, i) ? POLLOUT : 0);
    if (events == 0) continue;
    entries[count++] = {sockets[static_cast<std::size_t>(i)], static_cast<short>(events), 0};
  }
  const int ready = ::poll(entries.data(), count, WaitTime(channel, deadline));
  if (ready <= 0) {
    ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    return;
  }
  for (nfds_t i = 0; i < count; ++i) {
    const pollfd& entry = entries[i];
    const bool readable = (entry.revents & ~POLLOUT) != 0;
    const bool writable = (entry.revents & POLLOUT) != 0;
    if (readable || writable) {
      ares_process_fd(channel, readable ? entry.fd : ARES_SOCKET_BAD,
                      writable ? entry.fd : ARES_SOCKET_BAD);
    }
  }
}

std::expected<std::vector<std::string>, Error> Ask(const DnsOptions& dns, const std::string& host,
                                                   Clock::TimePoint deadline) {
  // Before the channel, whose end still calls back.
  Question v4;
  Question v6;
  auto channel = OpenChannel(dns);
  if (!channel) return std::unexpected(std::move(channel.error()));
  ares_query(channel->get(), host.c_str(), ns_c_in, ns_t_a, OnAnswer, &v4);
  ares_query(channel->get(), host.c_str(), ns_c_in, ns_t_aaaa, OnAnswer, &v6);
  // Without an answer about IPv6, an IPv4 address still serves.
  while (!v4.done || (!v6.done && v4.addresses.empty())) {
    if (deadline != kNoDeadline && std::chrono::steady_clock::now() >= deadline) {
      return std::unexpected(
          Error{ErrorCode::kTimeout, fmt::format("timed out looking up '{}'", host)});
    }
    Step(channel->get(), deadline);
  }
  std::vector<std::string> addresses = std::move(v4.addresses);
  std::ranges::move(v6.addresses, std::back_inserter(addresses));
  if (addresses.empty()) {
    return std::unexpected(NoAnswer(host, v4.status != ARES_SUCCESS ? v4.status : ARES_ENODATA));
  }
  return addresses;
}

// What can be read of the hosts file, which need not be there. (ReadFile of base would bring
// std::filesystem into every function.)
std::string ReadHostsFile(const std::string& path) {
  constexpr std::size_t kMaxBytes = 1 << 20;
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string content;
  std::array<char, 4096> chunk;
  while (fd.valid() && content.size() < kMaxBytes) {
    const ssize_t got = ::read(fd.get(), chunk.data(), chunk.size());
    if (got <= 0) break;
    content.append(chunk.data(), static_cast<std::size_t>(got));
  }
  return content;
}

bool NeedsNoLookup(const std::string& host) {
  std::array<char, 16> ignored;
  return host == "localhost" || ::inet_pton(AF_INET, host.c_str(), ignored.data()) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), ignored.data()) == 1;
}

// This address's share of what is left of the time, with `others` after it.
Clock::TimePoint ShareOf(Clock::TimePoint deadline, std::size_t others) {
  const auto now = std::chrono::steady_clock::now();
  if (deadline == kNoDeadline) return now + kLongestConnect;
  const auto share = (deadline - now) / static_cast<std::int64_t>(others + 1);
  return now + std::min<Clock::TimePoint::duration>(share, kLongestConnect);
}

}  // namespace

std::expected<std::vector<std::string>, Error> DnsResolver::Resolve(std::string_view host,
                                                                    Clock::TimePoint deadline) {
  auto listed = AddressesInHostsFile(ReadHostsFile(options_.hosts_file), host);
  if (!listed.empty()) return listed;
  return Ask(options_, std::string(host), deadline);
}

std::expected<std::unique_ptr<http::Stream>, Error> NameConnector::Connect(
    const http::Endpoint& endpoint, Clock::TimePoint deadline) {
  if (NeedsNoLookup(endpoint.host)) return below_.Connect(endpoint, deadline);
  auto addresses = resolver_.Resolve(endpoint.host, deadline);
  if (!addresses) return std::unexpected(std::move(addresses.error()));
  std::string failures;
  ErrorCode code = ErrorCode::kUnavailable;
  for (std::size_t i = 0; i < addresses->size(); ++i) {
    auto stream = below_.Connect({(*addresses)[i], endpoint.port},
                                 ShareOf(deadline, addresses->size() - i - 1));
    if (stream) return stream;
    code = stream.error().code;
    failures.append(failures.empty() ? "" : "; ").append(stream.error().message);
  }
  return std::unexpected(Error{code, fmt::format("cannot reach {}: {}", endpoint.host, failures)});
}

}  // namespace kelvin::aws

#include "aws/dns.h"

#include <array>
#include <map>
#include <thread>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "aws/dns_message.h"
#include "aws/testing.h"
#include "base/file.h"

namespace kelvin::aws {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kTypeA = 1;
constexpr char kTypeAaaa = 28;

// Answers to questions of one type: the data of each record; nullopt is "no such name".
using Records = std::optional<std::vector<std::string>>;

// A DNS server on the loopback that answers each question by its type. Names do not matter to it.
class DnsServer {
 public:
  explicit DnsServer(std::map<char, Records> records) : records_(std::move(records)) {
    socket_ = UniqueFd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    options.servers = fmt::format("127.0.0.1:{}", ntohs(address.sin_port));
    options.hosts_file = "/nonexistent";
    thread_ = std::jthread([this] { Serve(); });
  }
  ~DnsServer() {
    // Wakes the thread from its read.
    ::shutdown(socket_.get(), SHUT_RDWR);
  }

  DnsOptions options;

 private:
  void Serve() {
    for (;;) {
      std::array<char, 512> question;
      sockaddr_in from{};
      socklen_t size = sizeof from;
      const ssize_t got = ::recvfrom(socket_.get(), question.data(), question.size(), 0,
                                     reinterpret_cast<sockaddr*>(&from), &size);
      if (got <= 12) return;
      const std::string answer = Reply({question.data(), static_cast<std::size_t>(got)});
      ::sendto(socket_.get(), answer.data(), answer.size(), 0, reinterpret_cast<sockaddr*>(&from),
               size);
    }
  }

  std::string Reply(std::string_view question) const {
    const std::size_t name_end = question.find('\0', 12);
    const char type = question[name_end + 2];
    const Records& records = records_.at(type);
    std::string reply(question.substr(0, 2));
    reply.append("\x81", 1).push_back(records ? '\x80' : '\x83');
    reply.append("\0\1\0", 3).push_back(static_cast<char>(records ? records->size() : 0));
    reply.append(4, '\0').append(question.substr(12, name_end + 5 - 12));
    for (const std::string& data : records.value_or(std::vector<std::string>())) {
      reply.append("\xc0\x0c\0", 3).push_back(data.size() == 4 ? kTypeA : kTypeAaaa);
      reply.append("\0\1\0\0\0\x3c\0", 7).push_back(static_cast<char>(data.size()));
      reply.append(data);
    }
    return reply;
  }

  UniqueFd socket_;
  std::map<char, Records> records_;
  std::jthread thread_;
};

Clock::TimePoint Soon() {
  return std::chrono::steady_clock::now() + std::chrono::minutes(1);
}

const std::string kLoopbackV6 = std::string(15, '\0') + '\1';

TEST(DnsResolver, GivesAllAddressesIpv4First) {
  const std::string first("\x0a\0\0\1", 4);
  const std::string second("\x0a\0\0\2", 4);
  DnsServer server({{kTypeA, {{first, second}}}, {kTypeAaaa, {{kLoopbackV6}}}});
  const auto addresses = DnsResolver(server.options).Resolve("host.example", Soon());
  ASSERT_TRUE(addresses.has_value()) << addresses.error().message;
  EXPECT_EQ(addresses->at(0), "10.0.0.1");
  EXPECT_EQ(addresses->at(1), "10.0.0.2");
}

TEST(DnsResolver, GivesIpv6WhenThereIsNothingElse) {
  DnsServer server({{kTypeA, {{}}}, {kTypeAaaa, {{kLoopbackV6}}}});
  const auto addresses = DnsResolver(server.options).Resolve("host.example", Soon());
  ASSERT_TRUE(addresses.has_value()) << addresses.error().message;
  EXPECT_THAT(*addresses, ElementsAre("::1"));
}

TEST(DnsResolver, SaysThatThereIsNoSuchHost) {
  DnsServer server({{kTypeA, std::nullopt}, {kTypeAaaa, std::nullopt}});
  const auto addresses = DnsResolver(server.options).Resolve("nowhere.example", Soon());
  ASSERT_FALSE(addresses.has_value());
  EXPECT_EQ(addresses.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(addresses.error().message, HasSubstr("nowhere.example"));
}

TEST(DnsResolver, StopsAtTheDeadlineWhenNobodyAnswers) {
  const UniqueFd silent(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(silent.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  ::getsockname(silent.get(), reinterpret_cast<sockaddr*>(&address), &size);
  DnsResolver resolver({.hosts_file = "/nonexistent",
                        .servers = fmt::format("127.0.0.1:{}", ntohs(address.sin_port))});
  const auto addresses = resolver.Resolve(
      "host.example", std::chrono::steady_clock::now() + std::chrono::milliseconds(30));
  ASSERT_FALSE(addresses.has_value());
  EXPECT_EQ(addresses.error().code, ErrorCode::kTimeout);
}

TEST(DnsResolver, PrefersTheHostsFile) {
  const auto folder = TemporaryDirectory::Create();
  const auto file = folder->path() / "hosts";
  ASSERT_TRUE(WriteFileAtomically(file, "10.1.2.3 tables.local\n").has_value());
  DnsResolver resolver({.hosts_file = file, .servers = "127.0.0.1:1"});
  const auto addresses = resolver.Resolve("tables.local", Soon());
  ASSERT_TRUE(addresses.has_value()) << addresses.error().message;
  EXPECT_THAT(*addresses, ElementsAre("10.1.2.3"));
}

TEST(HostsFile, GivesEachAddressOfAName) {
  constexpr std::string_view kHosts =
      "# comment\n127.0.0.1\tlocalhost\n10.0.0.1 a.example A2 # tail\r\n"
      "  ::5 other a.EXAMPLE\nnonsense a.example\n10.0.0.9 #a.example\n10.0.0.7";
  EXPECT_THAT(AddressesInHostsFile(kHosts, "A.example"), ElementsAre("10.0.0.1", "::5"));
  EXPECT_THAT(AddressesInHostsFile(kHosts, "a2"), ElementsAre("10.0.0.1"));
  EXPECT_THAT(AddressesInHostsFile(kHosts, "10.0.0.7"), IsEmpty());
  EXPECT_THAT(AddressesInHostsFile("", "a"), IsEmpty());
}

TEST(DnsAnswer, IsRefusedWhenItIsCutShort) {
  const std::string whole = std::string("\0\1\x81\x80\0\1\0\1\0\0\0\0\1a\0\0\1\0\1", 19) +
                            std::string("\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\1", 16);
  EXPECT_THAT(AddressesInDnsAnswer(whole).value(), ElementsAre("127.0.0.1"));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto addresses = AddressesInDnsAnswer(whole.substr(0, size));
    ASSERT_FALSE(addresses.has_value()) << size;
    EXPECT_EQ(addresses.error().code, ErrorCode::kCorrupt);
  }
}

class FakeResolver final : public Resolver {
 public:
  std::expected<std::vector<std::string>, Error> Resolve(std::string_view host,
                                                         Clock::TimePoint) override {
    asked.emplace_back(host);
    return answer;
  }
  std::vector<std::string> asked;
  std::expected<std::vector<std::string>, Error> answer = std::vector<std::string>{};
};

TEST(NameConnector, TakesNumbersAndLocalhostAsTheyAre) {
  FakeResolver resolver;
  http::FakeConnector network;
  NameConnector connector(resolver, network);
  for (const std::string host : {"127.0.0.1", "::1", "localhost"}) {
    network.AddConnection({});
    EXPECT_TRUE(connector.Connect({host, 80}, Soon()).has_value()) << host;
  }
  EXPECT_THAT(resolver.asked, IsEmpty());
}

TEST(NameConnector, TriesEveryAddress) {
  FakeResolver resolver;
  resolver.answer = std::vector<std::string>{"10.0.0.1", "10.0.0.2"};
  http::FakeConnector network;
  network.RefuseConnection({ErrorCode::kUnavailable, "first refused"});
  network.AddConnection({});
  NameConnector connector(resolver, network);
  EXPECT_TRUE(connector.Connect({"host.example", 80}, Soon()).has_value());
  EXPECT_THAT(resolver.asked, ElementsAre("host.example"));
}

TEST(NameConnector, SaysWhyEachAddressFailed) {
  FakeResolver resolver;
  resolver.answer = std::vector<std::string>{"10.0.0.1", "10.0.0.2"};
  http::FakeConnector network;
  network.RefuseConnection({ErrorCode::kUnavailable, "first refused"});
  network.RefuseConnection({ErrorCode::kTimeout, "second silent"});
  const auto stream = NameConnector(resolver, network).Connect({"host.example", 80}, kNoDeadline);
  ASSERT_FALSE(stream.has_value());
  EXPECT_EQ(stream.error().code, ErrorCode::kTimeout);
  EXPECT_THAT(stream.error().message, AllOf(HasSubstr("host.example"), HasSubstr("first refused"),
                                            HasSubstr("second silent")));
}

TEST(NameConnector, PassesOnThatANameIsUnknown) {
  FakeResolver resolver;
  resolver.answer = std::unexpected(Error{ErrorCode::kInvalidArgument, "no such host"});
  http::FakeConnector network;
  const auto stream = NameConnector(resolver, network).Connect({"host.example", 80}, Soon());
  ASSERT_FALSE(stream.has_value());
  EXPECT_EQ(stream.error().message, "no such host");
}

}  // namespace
}  // namespace kelvin::aws

#include "runtime_peer.h"

#include <charconv>
#include <cstdlib>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

namespace kelvin::bench {
namespace {

[[noreturn]] void Die(std::string_view doing, int error_number) {
  fmt::print(stderr, "{}\n", ErrnoError(doing, error_number).message);
  std::exit(1);
}

std::string ReadOrDie(const std::string& path) {
  auto content = ReadFile(path);
  if (content) return std::move(*content);
  fmt::print(stderr, "{}\n", content.error().message);
  std::exit(1);
}

std::uint64_t NumberAt(std::string_view text, std::size_t at) {
  at = text.find_first_of("0123456789", at);
  std::uint64_t number = 0;
  if (at != std::string_view::npos) std::from_chars(&text[at], text.data() + text.size(), number);
  return number;
}

}  // namespace

RuntimePeer::RuntimePeer() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* name = reinterpret_cast<sockaddr*>(&address);
  if (!listener_.valid() || ::bind(listener_.get(), name, size) != 0 ||
      ::listen(listener_.get(), 16) != 0 || ::getsockname(listener_.get(), name, &size) != 0) {
    Die("listen on 127.0.0.1", errno);
  }
  address_ = fmt::format("127.0.0.1:{}", ntohs(address.sin_port));
}

void RuntimePeer::AcceptFirstRequest() {
  connection_.reset(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!connection_.valid()) Die("accept a connection", errno);
  const int on = 1;
  ::setsockopt(connection_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ReadRequest();
}

void RuntimePeer::Serve(std::string_view event) {
  Send(
      fmt::format("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                  "Lambda-Runtime-Aws-Request-Id: 8476a536-e9f4-11e8-9739-2dfe598c3fcd\r\n"
                  "Lambda-Runtime-Deadline-Ms: 4102444800000\r\n"
                  "Lambda-Runtime-Invoked-Function-Arn: "
                  "arn:aws:lambda:us-east-1:123456789012:function:bench\r\n"
                  "Lambda-Runtime-Trace-Id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;"
                  "Parent=9a9197af755a6419;Sampled=1\r\nContent-Length: {}\r\n\r\n{}",
                  event.size(), event));
  ReadRequest();
  Send(
      "HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n"
      "{\"status\":\"OK\"}");
  ReadRequest();
}

void RuntimePeer::Send(std::string_view bytes) {
  if (auto sent = WriteAll(connection_.get(), bytes); !sent) {
    fmt::print(stderr, "to the function: {}\n", sent.error().message);
    std::exit(1);
  }
}

void RuntimePeer::ReadRequest() {
  received_.clear();
  std::size_t whole = std::string::npos;
  while (received_.size() < whole) {
    char chunk[8192];
    const ssize_t got = ::recv(connection_.get(), chunk, sizeof chunk, 0);
    if (got <= 0) Die("hear from the function", got == 0 ? ECONNRESET : errno);
    received_.append(chunk, static_cast<std::size_t>(got));
    const std::size_t end = received_.find("\r\n\r\n");
    if (end == std::string::npos) continue;
    const std::size_t length = received_.substr(0, end).find("Content-Length:");
    whole = end + 4 + (length == std::string::npos ? 0 : NumberAt(received_, length));
  }
}

Child::Child(const std::string& program, const std::string& runtime_api) {
  std::string api = "AWS_LAMBDA_RUNTIME_API=" + runtime_api;
  // What Lambda sets, in number and length about, since a function reads through it.
  const char* environment[] = {api.c_str(),
                               "AWS_REGION=us-east-1",
                               "AWS_DEFAULT_REGION=us-east-1",
                               "AWS_ACCESS_KEY_ID=AKIDEXAMPLE",
                               "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                               "AWS_LAMBDA_FUNCTION_NAME=bench",
                               "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
                               "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128",
                               "AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/bench",
                               "LAMBDA_TASK_ROOT=/var/task",
                               "TABLE_NAME=items",
                               "LANG=en_US.UTF-8",
                               "TZ=:UTC",
                               nullptr};
  char* const arguments[] = {const_cast<char*>(program.c_str()), nullptr};
  const int failure = ::posix_spawn(&pid_, program.c_str(), nullptr, nullptr, arguments,
                                    const_cast<char* const*>(environment));
  if (failure != 0) Die(fmt::format("start {}", program), failure);
}

Child::~Child() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

std::uint64_t Child::PeakMemoryKb() const {
  const std::string status = ReadOrDie(fmt::format("/proc/{}/status", pid_));
  return NumberAt(status, status.find("VmHWM:"));
}

std::uint64_t Child::MinorFaults() const {
  const std::string stat = ReadOrDie(fmt::format("/proc/{}/stat", pid_));
  // The tenth field; the second, the name in brackets, may hold spaces.
  std::size_t at = stat.rfind(')');
  for (int field = 2; field < 10; ++field) at = stat.find(' ', at + 1);
  return NumberAt(stat, at);
}

std::chrono::nanoseconds Child::CpuTime() const {
  clockid_t clock = 0;
  timespec used{};
  if (::clock_getcpuclockid(pid_, &clock) != 0 || ::clock_gettime(clock, &used) != 0) {
    Die("read a child's CPU time", errno);
  }
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

}  // namespace kelvin::bench

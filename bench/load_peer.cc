#include "load_peer.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace kelvin::bench {

void Die(std::string_view message) {
  fmt::print(stderr, "bench: {}\n", message);
  std::exit(1);
}

Microseconds Since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start)
      .count();
}

Microseconds Median(std::vector<Microseconds> samples) {
  const auto middle = samples.begin() + static_cast<std::ptrdiff_t>(samples.size() / 2);
  std::ranges::nth_element(samples, middle);
  return *middle;
}

ServerProcess::ServerProcess(std::vector<std::string> argv) {
  int ready[2];
  if (::pipe(ready) != 0) Die("cannot make a pipe");
  bool to_descriptor = false;
  for (std::string& word : argv) {
    if (word != "{fd}") continue;
    word = std::to_string(ready[1]);
    to_descriptor = true;
  }
  std::fflush(stdout);  // or the child would write it again
  pid_ = ::fork();
  if (pid_ == 0) {
    ::close(ready[0]);
    if (!to_descriptor) ::dup2(ready[1], STDOUT_FILENO);
    if (to_descriptor && std::freopen("/dev/null", "w", stdout) == nullptr) ::_exit(126);
    std::vector<char*> words;
    for (std::string& word : argv) words.push_back(word.data());
    words.push_back(nullptr);
    ::execvp(words[0], words.data());
    ::_exit(127);
  }
  ::close(ready[1]);
  std::string line;
  char byte = 0;
  while (::read(ready[0], &byte, 1) == 1 && byte != '\n') line += byte;
  // The pipe's other end may be its standard output: it stays open as long as the process.
  port_ = std::atoi(line.substr(line.rfind(':') + 1).c_str());
  if (port_ == 0) Die(fmt::format("{} did not say where it listens, but '{}'", argv[0], line));
}

ServerProcess::~ServerProcess() {
  ::kill(pid_, SIGTERM);
  ::waitpid(pid_, nullptr, 0);
}

LoadClient::LoadClient(int port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    Die(fmt::format("cannot connect to port {}: {}", port, std::strerror(errno)));
  }
  const int on = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

LoadClient::~LoadClient() {
  ::close(socket_);
}

void LoadClient::Call(std::string_view operation, std::string_view body) {
  out_.clear();
  fmt::format_to(std::back_inserter(out_),
                 "POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: DynamoDB_20120810.{}\r\n"
                 "Content-Type: application/x-amz-json-1.0\r\nX-Amz-Date: 20260101T000000Z\r\n"
                 "Authorization: AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/dynamodb/"
                 "aws4_request, SignedHeaders=host, Signature=b\r\nContent-Length: {}\r\n\r\n{}",
                 operation, body.size(), body);
  for (std::size_t sent = 0; sent < out_.size();) {
    const ssize_t count = ::send(socket_, out_.data() + sent, out_.size() - sent, MSG_NOSIGNAL);
    if (count <= 0) Die("the server hung up");
    sent += static_cast<std::size_t>(count);
  }
  in_.clear();
  std::size_t wanted = 0;
  while (wanted == 0 || in_.size() < wanted) {
    char buffer[16384];
    const ssize_t count = ::recv(socket_, buffer, sizeof buffer, 0);
    if (count <= 0) Die("the server hung up");
    in_.append(buffer, static_cast<std::size_t>(count));
    const std::size_t head = in_.find("\r\n\r\n");
    if (wanted != 0 || head == std::string::npos) continue;
    std::string lower = in_.substr(0, head);
    std::ranges::transform(lower, lower.begin(), [](char c) {
      return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    });
    const std::size_t length = lower.find("content-length:");
    if (length == std::string::npos) Die("an answer without Content-Length");
    wanted = head + 4 + static_cast<std::size_t>(std::atol(lower.c_str() + length + 15));
  }
  if (!in_.starts_with("HTTP/1.1 200")) Die(fmt::format("{}: {}", operation, in_));
}

double Throughput(int port, int clients, int count, const ClientWork& work) {
  std::atomic<int> next{0};
  std::vector<std::thread> threads;
  const auto start = std::chrono::steady_clock::now();
  for (int started = 0; started < clients; ++started) {
    threads.emplace_back([&] {
      LoadClient client(port);
      for (int turn = next++; turn < count; turn = next++) work(client, turn);
    });
  }
  for (auto& thread : threads) thread.join();
  return count / (Since(start) / 1e6);
}

}  // namespace kelvin::bench

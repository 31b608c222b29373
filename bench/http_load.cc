#include "http_load.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server_process.h"

namespace kelvin::bench {

struct HttpLoad::Client {
  int socket = -1;
  std::string in;
  std::size_t wanted = 0;  // bytes of the answer, once known
  std::chrono::steady_clock::time_point sent;
};

namespace {

int Connect(int port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    Die(fmt::format("cannot connect to port {}: {}", port, std::strerror(errno)));
  }
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return socket;
}

// Ends the benchmark unless it is a success.
void CheckAnswer(const std::string& in) {
  const std::size_t head = in.find("\r\n\r\n");
  if (!in.starts_with("HTTP/1.1 2") || in.find("X-Amz-Function-Error") < head) Die(in);
}

Answer ToAnswer(const std::string& in) {
  CheckAnswer(in);
  const std::size_t head = in.find("\r\n\r\n");
  return {.status = std::atoi(in.c_str() + std::min<std::size_t>(in.size(), 9)),
          .head = in.substr(0, head),
          .body = in.substr(head + 4)};
}

}  // namespace

HttpLoad::HttpLoad(int port, int clients) : events_(::epoll_create1(EPOLL_CLOEXEC)) {
  clients_.resize(static_cast<std::size_t>(clients));
  for (std::size_t i = 0; i < clients_.size(); ++i) {
    clients_[i].socket = Connect(port);
    epoll_event event{.events = EPOLLIN, .data = {.u64 = i}};
    ::epoll_ctl(events_, EPOLL_CTL_ADD, clients_[i].socket, &event);
  }
}

HttpLoad::~HttpLoad() {
  for (const Client& client : clients_) ::close(client.socket);
  ::close(events_);
}

void HttpLoad::Send(Client& client, const std::string& request) {
  client.in.clear();
  client.wanted = 0;
  client.sent = std::chrono::steady_clock::now();
  for (std::size_t sent = 0; sent < request.size();) {
    const ssize_t count =
        ::send(client.socket, request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
    if (count <= 0) Die("the server hung up");
    sent += static_cast<std::size_t>(count);
  }
}

bool HttpLoad::Receive(Client& client) {
  char buffer[16384];
  const ssize_t count = ::recv(client.socket, buffer, sizeof buffer, 0);
  if (count <= 0) Die("the server hung up");
  client.in.append(buffer, static_cast<std::size_t>(count));
  if (client.wanted == 0) {
    const std::size_t head = client.in.find("\r\n\r\n");
    if (head == std::string::npos) return false;
    const std::size_t length = client.in.find("Content-Length: ");
    if (length > head && !client.in.starts_with("HTTP/1.1 204")) Die("expected a Content-Length");
    const long body = length > head ? 0 : std::atol(client.in.c_str() + length + 16);
    client.wanted = head + 4 + static_cast<std::size_t>(body);
  }
  return client.in.size() >= client.wanted;
}

std::vector<double> HttpLoad::Run(const std::string& request, int count) {
  return Run([&](int) { return request; }, count);
}

std::vector<double> HttpLoad::Run(const RequestOf& request, int count) {
  std::vector<double> times;
  times.reserve(static_cast<std::size_t>(count));
  int turn = 0;
  const auto next = [&](Client& client) {
    if (turn < count) Send(client, request(turn++));
  };
  for (Client& client : clients_) next(client);
  epoll_event ready[64];
  while (static_cast<int>(times.size()) < count) {
    const int events = ::epoll_wait(events_, ready, std::size(ready), -1);
    for (int i = 0; i < events; ++i) {
      Client& client = clients_[ready[i].data.u64];
      if (!Receive(client)) continue;
      times.push_back(Since(client.sent) / 1000);
      CheckAnswer(client.in);
      next(client);
    }
  }
  return times;
}

std::vector<Answer> HttpLoad::RunOnce(const std::string& request) {
  for (Client& client : clients_) Send(client, request);
  std::vector<Answer> answers;
  for (Client& client : clients_) {
    while (!Receive(client)) {
    }
    answers.push_back(ToAnswer(client.in));
  }
  return answers;
}

std::string RequestText(std::string_view method, std::string_view path, std::string_view body,
                        std::string_view headers) {
  return fmt::format("{} {} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n{}\r\n{}", method,
                     path, body.size(), headers, body);
}

Answer Call(int port, std::string_view method, std::string_view path, std::string_view body,
            std::string_view headers) {
  HttpLoad one(port, 1);
  return one.RunOnce(RequestText(method, path, body, headers)).front();
}

}  // namespace kelvin::bench

#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace kelvin::bench {

using Microseconds = double;

[[noreturn]] void Die(std::string_view message);

Microseconds Since(std::chrono::steady_clock::time_point start);
Microseconds Median(std::vector<Microseconds> samples);

// A server in a process of its own, ended with the object.
class ServerProcess {
 public:
  // Runs `argv`, in which "{fd}" is replaced by the number of a descriptor to write the endpoint
  // to, or, without such, takes the port from the first line of standard output.
  explicit ServerProcess(std::vector<std::string> argv);
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;
  ~ServerProcess();

  int port() const { return port_; }
  int pid() const { return pid_; }

 private:
  int pid_ = -1;
  int port_ = 0;
};

// A keep-alive client that does as little as one can, so that what is measured is the server.
class LoadClient {
 public:
  explicit LoadClient(int port);
  LoadClient(const LoadClient&) = delete;
  LoadClient& operator=(const LoadClient&) = delete;
  ~LoadClient();

  // Sends one DynamoDB request and reads the answer, which must be a success.
  void Call(std::string_view operation, std::string_view body);

 private:
  int socket_ = -1;
  std::string out_;
  std::string in_;
};

// Calls `work(client, i)` for i in [0, count) from several clients at once; operations per second.
using ClientWork = std::function<void(LoadClient& client, int i)>;
double Throughput(int port, int clients, int count, const ClientWork& work);

}  // namespace kelvin::bench

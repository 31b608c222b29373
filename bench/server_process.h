#pragma once

#include <string>
#include <vector>

#include "measure.h"

namespace kelvin::bench {

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
  // CPU time that the process has used by now, in user and kernel mode.
  Microseconds CpuTime() const;

 private:
  int pid_ = -1;
  int port_ = 0;
};

}  // namespace kelvin::bench

#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "base/file.h"

namespace kelvin::bench {

// The Runtime API's side of the wire, with as little in it as possible, so that what is measured is
// the function. Exits with a message when the machine itself refuses.
class RuntimePeer {
 public:
  RuntimePeer();  // listens on 127.0.0.1, any free port

  std::string address() const { return address_; }
  // Waits for a function to connect and to send a whole request.
  void AcceptFirstRequest();
  // Gives the waiting function an event, takes its response and its next request.
  void Serve(std::string_view event);
  void Disconnect() { connection_.reset(); }

 private:
  void Send(std::string_view bytes);
  // Reads one request with its body; what follows it must not have been sent yet.
  void ReadRequest();

  UniqueFd listener_;
  UniqueFd connection_;
  std::string address_;
  std::string received_;
};

// A running function. Killed, if need be, and waited for by the destructor.
class Child {
 public:
  Child(const std::string& program, const std::string& runtime_api);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();

  std::uint64_t PeakMemoryKb() const;  // VmHWM: since exec, without the parent's image
  std::uint64_t MinorFaults() const;
  std::chrono::nanoseconds CpuTime() const;  // user and system

 private:
  pid_t pid_ = -1;
};

}  // namespace kelvin::bench

#include "server_process.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

namespace kelvin::bench {

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

Microseconds ServerProcess::CpuTime() const {
  clockid_t clock{};
  timespec used{};
  if (::clock_getcpuclockid(pid_, &clock) != 0 || ::clock_gettime(clock, &used) != 0) {
    Die("cannot read the server's CPU time");
  }
  return static_cast<double>(used.tv_sec) * 1e6 + static_cast<double>(used.tv_nsec) / 1e3;
}

}  // namespace kelvin::bench

#pragma once

#include <filesystem>
#include <string>

namespace kelvin::lab {

// The computer a run was driven from: with a local service, also the one that was measured.
struct Machine {
  std::string cpu_model;
  int cores = 0;  // that this process may use
  int memory_mb = 0;
  std::string kernel;          // "Linux 6.1.0-18-amd64 x86_64"
  std::string governor;        // of the first core; empty where the kernel does not say
  std::string virtualization;  // "virtual machine (QEMU), container"; empty on bare metal
  double cpu_limit = 0;        // cores that a cgroup quota leaves this process; 0 without one
  double load_1m = 0;          // mean runnable processes of the last minute, as it was at the start
};

// Reads what the kernel tells below `root` (the tests give a made-up one). What cannot be read
// stays empty: a run is not worth less for an unknown processor name.
Machine ReadMachine(const std::filesystem::path& root = "/");

// The load as it is now.
double ReadLoad(const std::filesystem::path& root = "/");

}  // namespace kelvin::lab

// What a sandbox costs against a plain vfork and exec of the same program, measured in turn.
//   sandbox_bench [ROUNDS]
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "sandbox/sandbox.h"

namespace kelvin::bench {
namespace {

constexpr int kDefaultRounds = 200;

class Samples {
 public:
  template <typename Act>
  auto Time(const std::string& name, Act act) {
    const auto before = std::chrono::steady_clock::now();
    auto result = act();
    const std::chrono::duration<double, std::micro> took =
        std::chrono::steady_clock::now() - before;
    samples_[name].push_back(took.count());
    return result;
  }
  double Median(const std::string& name) { return Quantile(name, 0.5); }
  double Quantile(const std::string& name, double quantile) {
    auto& values = samples_.at(name);
    std::ranges::sort(values);
    return values[static_cast<std::size_t>(quantile * static_cast<double>(values.size() - 1))];
  }

 private:
  std::map<std::string, std::vector<double>> samples_;
};

char WaitForByte(int fd) {
  char byte = 0;
  pollfd wait{fd, POLLIN, 0};
  while (::read(fd, &byte, 1) != 1) ::poll(&wait, 1, -1);
  return byte;
}

void SpawnPlainly(Samples& samples, const std::string& program) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) std::abort();
  const UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, writer.get(), STDOUT_FILENO);
  char* arguments[] = {const_cast<char*>(program.c_str()), nullptr};
  const pid_t pid = samples.Time("plain spawn to first output", [&] {
    pid_t child = -1;
    if (::posix_spawn(&child, program.c_str(), &actions, nullptr, arguments, environ) != 0) {
      std::abort();
    }
    WaitForByte(reader.get());
    return child;
  });
  ::posix_spawn_file_actions_destroy(&actions);
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
}

bool UseASandbox(Samples& samples, sandbox::Sandboxes& sandboxes,
                 const sandbox::SandboxSpec& spec) {
  bool exited = false;
  auto made = samples.Time("create", [&] {
    return sandboxes.Create(spec, [&](sandbox::ExitStatus) { exited = true; });
  });
  if (!made) return false;
  sandbox::Sandbox& one = **made;
  const auto nothing = [](auto act) {
    return [act] {
      act();
      return true;
    };
  };
  bool started = false;
  samples.Time("start to first output", [&] {
    started = samples.Time("start", [&] { return one.Start().has_value(); });
    return started ? WaitForByte(one.output_fd()) : '\0';
  });
  if (!started) return false;
  samples.Time("freeze", nothing([&] { one.Freeze(); }));
  samples.Time("thaw", nothing([&] { one.Thaw(); }));
  samples.Time("set cpu share", nothing([&] { one.SetCpuShare(sandbox::CpuShare::kByMemory); }));
  samples.Time("highest memory", nothing([&] { one.PeakMemoryBytes(); }));
  one.Kill();
  pollfd wait{sandboxes.event_fd(), POLLIN, 0};
  samples.Time("kill to exit seen", nothing([&] {
                 while (!exited) {
                   ::poll(&wait, 1, -1);
                   sandboxes.Dispatch();
                 }
               }));
  samples.Time("destroy", nothing([&] { made->reset(); }));
  return true;
}

int Main(int rounds) {
  auto folder = TemporaryDirectory::Create();
  if (!folder) return 1;
  const auto code = folder->path() / "code";
  const auto state = folder->path() / "state";
  std::filesystem::create_directory(code);
  std::filesystem::create_directory(state);
  for (const auto& path : {folder->path(), code}) {
    std::filesystem::permissions(path, std::filesystem::perms(0755));
  }
  std::filesystem::copy(KELVIN_BENCH_FUNCTION, code / "bootstrap");
  auto sandboxes = sandbox::NewHostSandboxes({.state = state});
  if (!sandboxes) {
    fmt::print(stderr, "sandbox_bench: {}\n", sandboxes.error().message);
    return 1;
  }
  Samples samples;
  for (int round = 0; round < rounds; ++round) {
    SpawnPlainly(samples, (code / "bootstrap").native());
    if (!UseASandbox(samples, **sandboxes, {.id = fmt::format("b{}", round), .code = code})) {
      fmt::print(stderr, "sandbox_bench: a sandbox did not start\n");
      return 1;
    }
  }
  const double floor = samples.Median("plain spawn to first output");
  fmt::print("{:<28} {:>10} {:>10} {:>8}\n", "", "median us", "p99 us", "x plain");
  for (const char* name :
       {"plain spawn to first output", "create", "start", "start to first output", "freeze", "thaw",
        "set cpu share", "highest memory", "kill to exit seen", "destroy"}) {
    fmt::print("{:<28} {:>10.1f} {:>10.1f} {:>8.2f}\n", name, samples.Median(name),
               samples.Quantile(name, 0.99), samples.Median(name) / floor);
  }
  for (const std::string& missing : (*sandboxes)->isolation().missing) {
    fmt::print("missing: {}\n", missing);
  }
  return 0;
}

}  // namespace
}  // namespace kelvin::bench

int main(int argc, char** argv) {
  return kelvin::bench::Main(argc > 1 ? std::max(1, std::atoi(argv[1]))
                                      : kelvin::bench::kDefaultRounds);
}

#include "aws/system_credentials.h"

#include <cerrno>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "aws/network.h"
#include "base/file.h"

extern char** environ;

namespace kelvin::aws {
namespace {

// A process may open a browser and wait for a person.
constexpr std::chrono::minutes kProcessTimeout{1};
constexpr std::size_t kMaxOutput = 1 << 20;
constexpr std::size_t kMaxFile = 16 << 20;

CredentialSources SourcesOf(SystemCredentialOptions options, http::Connector& plain,
                            http::Connector& secure, const Clock& clock) {
  return CredentialSources{
      .environment = std::move(options.environment),
      .profile = std::move(options.profile),
      .region = std::move(options.region),
      .read_file = [](const std::filesystem::path& path) { return ReadFile(path, kMaxFile); },
      .run = [](const std::string& command) { return RunCommand(command, kProcessTimeout); },
      .ask_code = std::move(options.ask_code),
      .plain = plain,
      .secure = secure,
      .clock = clock};
}

// The shell, in our own process group: it may have to ask at the terminal.
std::expected<pid_t, Error> Start(const std::string& command, int write_end) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, write_end, STDOUT_FILENO);
  std::string line = command;
  char shell[] = "sh";
  char option[] = "-c";
  char* arguments[] = {shell, option, line.data(), nullptr};
  pid_t pid = 0;
  const int failed = posix_spawn(&pid, "/bin/sh", &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return std::unexpected(ErrnoError("start /bin/sh", failed));
  return pid;
}

std::expected<std::string, Error> ReadUntilEnd(int fd, std::chrono::milliseconds timeout) {
  std::string output;
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    pollfd waiting{.fd = fd, .events = POLLIN, .revents = 0};
    const int ready = left.count() <= 0 ? 0 : ::poll(&waiting, 1, static_cast<int>(left.count()));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) {
      return std::unexpected(
          Error{ErrorCode::kTimeout, fmt::format("expected it to end within {} s",
                                                 std::chrono::duration<double>(timeout).count())});
    }
    char bytes[4096];
    const ssize_t got = ::read(fd, bytes, sizeof bytes);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::unexpected(ErrnoError("read its output", errno));
    if (got == 0) return output;
    output.append(bytes, static_cast<std::size_t>(got));
    if (output.size() > kMaxOutput) {
      return std::unexpected(
          Error{ErrorCode::kResourceExhausted, "expected at most 1 MB of output, got more"});
    }
  }
}

}  // namespace

SystemCredentials::SystemCredentials(SystemCredentialOptions options, const Clock& clock)
    : plain_(NewConnector(Scheme::kHttp, clock)),
      secure_(
          NewConnector(Scheme::kHttps, clock, NetworkOptionsFromEnvironment(options.environment))),
      sources_(SourcesOf(std::move(options), *plain_, *secure_, clock)),
      chain_(sources_) {}

SystemCredentials::~SystemCredentials() = default;

std::expected<std::string, Error> RunCommand(const std::string& command,
                                             std::chrono::milliseconds timeout) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return std::unexpected(ErrnoError("make a pipe", errno));
  const UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  const auto pid = Start(command, write_end.get());
  if (!pid) return std::unexpected(pid.error());
  write_end.reset();
  auto output = ReadUntilEnd(read_end.get(), timeout);
  if (!output) ::kill(*pid, SIGKILL);
  int status = 0;
  while (::waitpid(*pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!output || status == 0) return output;
  return std::unexpected(
      Error{ErrorCode::kInvalidArgument,
            WIFEXITED(status) ? fmt::format("it ended with exit status {}", WEXITSTATUS(status))
                              : fmt::format("it ended by signal {} ({})", WTERMSIG(status),
                                            ::strsignal(WTERMSIG(status)))});
}

}  // namespace kelvin::aws

#include "sandbox/user_map.h"

#include <cerrno>
#include <string>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace kelvin::sandbox {
namespace {

std::expected<void, Error> WriteProcFile(const std::string& path, std::string_view text) {
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file.valid()) return std::unexpected(ErrnoError(fmt::format("open {}", path), errno));
  if (::write(file.get(), text.data(), text.size()) < 0) {
    return std::unexpected(ErrnoError(fmt::format("write to {}", path), errno));
  }
  return {};
}

}  // namespace

std::expected<void, Error> MapOwnUser(const LaunchRequest& request, uid_t outer_uid,
                                      gid_t outer_gid) {
  const std::pair<const char*, std::string> files[] = {
      {"/proc/self/setgroups", "deny"},
      {"/proc/self/uid_map", fmt::format("{} {} 1\n", request.uid, outer_uid)},
      {"/proc/self/gid_map", fmt::format("{} {} 1\n", request.gid, outer_gid)},
  };
  for (const auto& [path, text] : files) {
    if (auto written = WriteProcFile(path, text); !written) return written;
  }
  return {};
}

void MapUsersOf(pid_t pid, const LaunchRequest& request, UniqueFd told) {
  const auto map = [&](std::string_view kind, unsigned int id) {
    return WriteProcFile(fmt::format("/proc/{}/{}_map", pid, kind),
                         fmt::format("0 0 1\n{0} {0} 1\n", id));
  };
  auto mapped = map("uid", request.uid);
  if (mapped) mapped = map("gid", request.gid);
  (void)WriteAll(told.get(), mapped ? std::string("+") : mapped.error().message);
}

std::expected<void, Error> HearUserMap(UniqueFd told) {
  char answer[512];
  ssize_t got = -1;
  do {
    got = ::read(told.get(), answer, sizeof answer);
  } while (got < 0 && errno == EINTR);
  const std::string_view text(answer, got > 0 ? static_cast<std::size_t>(got) : 0);
  if (text == "+") return {};
  return std::unexpected(
      Error{ErrorCode::kPermissionDenied,
            fmt::format("root cannot give functions a user of their own ({}): run kelvin as an "
                        "ordinary user, or with CAP_SETUID, CAP_SETGID and CAP_SETFCAP",
                        text.empty() ? "the launcher is gone" : text)});
}

}  // namespace kelvin::sandbox

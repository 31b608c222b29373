#include "sandbox/etc_file.h"

#include <sstream>

#include <fmt/format.h>
#include <sys/stat.h>

#include "base/file.h"

namespace kelvin::sandbox {
namespace {

constexpr std::string_view kSandboxNames = "127.0.0.1 sandbox.localdomain sandbox\n";
constexpr std::string_view kLocalhost = "localhost";
constexpr std::string_view kUser = "sbx_user1051";

bool Names(std::string_view hosts, std::string_view name) {
  std::istringstream lines{std::string(hosts)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    for (std::string word; words >> word;) {
      if (word == name) return true;
    }
  }
  return false;
}

std::string StateOf(const std::filesystem::path& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return "none";
  return fmt::format("{} {} {} {}.{}", info.st_dev, info.st_ino, info.st_size, info.st_mtim.tv_sec,
                     info.st_mtim.tv_nsec);
}

}  // namespace

std::string SandboxHosts(std::string_view host_hosts) {
  // Once only: getaddrinfo gives an address for each line.
  std::string hosts;
  if (!Names(host_hosts, kLocalhost)) hosts = fmt::format("127.0.0.1 {}\n", kLocalhost);
  hosts += host_hosts;
  if (!hosts.ends_with('\n')) hosts += '\n';
  return hosts += kSandboxNames;
}

std::string SandboxUsers(std::string_view host_users, uid_t uid, gid_t gid) {
  return fmt::format("{0}:x:{1}:{2}::/home/{0}:/sbin/nologin\n{3}", kUser, uid, gid, host_users);
}

EtcFile::EtcFile(std::filesystem::path source, std::filesystem::path path, Make make)
    : source_(std::move(source)), path_(std::move(path)), make_(std::move(make)) {}

std::expected<void, Error> EtcFile::Update() {
  const std::string state = StateOf(source_);
  if (state == made_of_) return {};
  const auto written = WriteFileAtomically(path_, make_(ReadFile(source_).value_or(std::string())));
  if (!written) return written;
  // Whatever the umask: functions are another user.
  std::error_code ignored;
  std::filesystem::permissions(path_, std::filesystem::perms(0644), ignored);
  made_of_ = state;
  return {};
}

}  // namespace kelvin::sandbox

#include "sandbox/syscall_filter.h"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <iterator>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace kelvin::sandbox {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#endif

constexpr std::uint32_t kX32Bit = 0x40000000;
constexpr std::uint32_t kNewNamespaces = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
                                         CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP;

// Newer than this C library's headers.
constexpr std::uint32_t kOpenTreeAttr = 467;

constexpr std::uint32_t kRefused[] = {
    // file systems
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_move_mount,
    SYS_open_tree,
    kOpenTreeAttr,
    SYS_fsopen,
    SYS_fsconfig,
    SYS_fsmount,
    SYS_fspick,
    SYS_mount_setattr,
    SYS_swapon,
    SYS_swapoff,
    SYS_quotactl,
    SYS_quotactl_fd,
    SYS_open_by_handle_at,
    // namespaces
    SYS_unshare,
    SYS_setns,
    // the kernel itself
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_kexec_load,
    SYS_kexec_file_load,
    SYS_reboot,
    SYS_acct,
    SYS_syslog,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_io_uring_setup,
    SYS_io_uring_enter,
    SYS_io_uring_register,
    // keys
    SYS_add_key,
    SYS_request_key,
    SYS_keyctl,
    // other processes
    SYS_ptrace,
    // the machine
    SYS_settimeofday,
    SYS_clock_settime,
#if defined(__x86_64__)
    SYS_iopl,
    SYS_ioperm,
#endif
};

constexpr sock_filter Statement(std::uint16_t code, std::uint32_t value) {
  return {.code = code, .jt = 0, .jf = 0, .k = value};
}
constexpr sock_filter Jump(std::uint16_t code, std::uint32_t value, std::size_t if_true,
                           std::size_t if_false) {
  return {.code = code,
          .jt = static_cast<std::uint8_t>(if_true),
          .jf = static_cast<std::uint8_t>(if_false),
          .k = value};
}

constexpr std::uint16_t kLoad = BPF_LD | BPF_W | BPF_ABS;
constexpr std::uint16_t kEquals = BPF_JMP | BPF_JEQ | BPF_K;
constexpr std::uint16_t kAtLeast = BPF_JMP | BPF_JGE | BPF_K;
constexpr std::uint16_t kHasBits = BPF_JMP | BPF_JSET | BPF_K;
constexpr std::uint16_t kReturn = BPF_RET | BPF_K;

constexpr std::size_t kCalls = std::size(kRefused);
// Ahead of the list: 6 instructions; behind it: 3, and then the three ends.
constexpr std::size_t kHead = 6;
constexpr std::size_t kAllow = kHead + kCalls + 2;
constexpr std::size_t kPermission = kAllow + 1;
constexpr std::size_t kNoSuchCall = kAllow + 2;
constexpr std::size_t kLength = kAllow + 3;
static_assert(kLength < 256, "jumps are of one byte");

constexpr std::array<sock_filter, kLength> MakeProgram() {
  std::array<sock_filter, kLength> program{};
  std::size_t at = 0;
  const auto to = [&](std::size_t target) { return target - at - 1; };
  program[at++] = Statement(kLoad, offsetof(seccomp_data, arch));
  program[at] = Jump(kEquals, kArchitecture, 0, to(kNoSuchCall));
  ++at;
  program[at++] = Statement(kLoad, offsetof(seccomp_data, nr));
  program[at] = Jump(kAtLeast, kX32Bit, to(kNoSuchCall), 0);
  ++at;
  // Its flags are in memory, where no filter can look: without it the C library takes clone.
  program[at] = Jump(kEquals, SYS_clone3, to(kNoSuchCall), 0);
  ++at;
  program[at] = Jump(kEquals, SYS_clone, to(kHead + kCalls), 0);
  ++at;
  for (std::size_t i = 0; i < kCalls; ++i) {
    const std::size_t if_not = i + 1 == kCalls ? to(kAllow) : 0;
    program[at] = Jump(kEquals, kRefused[i], to(kPermission), if_not);
    ++at;
  }
  program[at++] = Statement(kLoad, offsetof(seccomp_data, args[0]));  // flags, in the lower half
  program[at] = Jump(kHasBits, kNewNamespaces, to(kPermission), to(kAllow));
  ++at;
  program[at++] = Statement(kReturn, SECCOMP_RET_ALLOW);
  program[at++] = Statement(kReturn, SECCOMP_RET_ERRNO | EPERM);
  program[at++] = Statement(kReturn, SECCOMP_RET_ERRNO | ENOSYS);
  return program;
}

constexpr auto kProgram = MakeProgram();

// As of Linux 6.12; older headers lack the last member.
struct LandlockRules {
  std::uint64_t file_system = 0;
  std::uint64_t network = 0;
  std::uint64_t scoped = 0;
};
constexpr std::uint64_t kScopeSocketsAndSignals = 3;
constexpr std::uint32_t kLandlockVersion = 1;  // asks for the version
constexpr long kScopesSince = 6;

}  // namespace

bool CanFilterSystemCalls() {
  const std::uint32_t action = SECCOMP_RET_ERRNO;
  return ::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

int FilterSystemCalls() {
  sock_fprog program{.len = kLength, .filter = const_cast<sock_filter*>(kProgram.data())};
  // Without the flag kernels before 5.16 slow down every process that has a filter.
  if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program) ==
      0) {
    return 0;
  }
  return errno;
}

bool CanScopeSockets() {
  return ::syscall(SYS_landlock_create_ruleset, nullptr, 0, kLandlockVersion) >= kScopesSince;
}

int ScopeSockets() {
  const LandlockRules rules{.scoped = kScopeSocketsAndSignals};
  const long ruleset = ::syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0);
  if (ruleset < 0) return errno;
  const int number = ::syscall(SYS_landlock_restrict_self, ruleset, 0) == 0 ? 0 : errno;
  ::close(static_cast<int>(ruleset));
  return number;
}

}  // namespace kelvin::sandbox

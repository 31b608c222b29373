#include "runtime/shutdown.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

namespace kelvin::runtime {
namespace {

sigset_t OnlySigterm() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

ShutdownHook::ShutdownHook(std::function<void()> callback) : callback_(std::move(callback)) {
  if (!callback_) return;
  const sigset_t set = OnlySigterm();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  thread_ = std::thread([this] { Wait(); });
}

ShutdownHook::~ShutdownHook() {
  if (!thread_.joinable()) return;
  ::pthread_cancel(thread_.native_handle());
  thread_.join();
}

void ShutdownHook::Wait() {
  const sigset_t set = OnlySigterm();
  int signal = 0;
  if (::sigwait(&set, &signal) != 0) return;
  ::pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, nullptr);
  const std::lock_guard wait_for_the_invocation(busy_);
  callback_();
  // Destructors of the other threads' objects must not run under their feet.
  ::_exit(0);
}

}  // namespace kelvin::runtime

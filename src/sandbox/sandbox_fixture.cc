#include "sandbox/sandbox_fixture.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <stdexcept>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

namespace kelvin::sandbox {
namespace {

constexpr int kSilenceMs = 50;

void WaitUntilReadable(int fd) {
  pollfd wait{fd, POLLIN, 0};
  ::poll(&wait, 1, -1);
}

}  // namespace

SandboxFixture::SandboxFixture() : folder_(TemporaryDirectory::Create().value()) {
  // The function's user has to get in where there are no private mounts.
  std::filesystem::permissions(folder(), std::filesystem::perms(0755));
  std::filesystem::create_directory(state());
  std::filesystem::create_directory(folder() / "code");
  std::filesystem::permissions(folder() / "code", std::filesystem::perms(0755));
  std::filesystem::copy(KELVIN_TEST_FUNCTION, bootstrap());
  std::filesystem::permissions(bootstrap(), std::filesystem::perms(0755));
}

void SandboxFixture::Open(const HostFacilities& facilities) {
  auto made = NewHostSandboxes({.state = state()}, facilities);
  ASSERT_TRUE(made) << made.error().message;
  sandboxes_ = std::move(*made);
}

void SandboxFixture::WriteBootstrap(std::string_view content, int mode) {
  ASSERT_TRUE(WriteFileAtomically(bootstrap(), content, mode));
  std::filesystem::permissions(bootstrap(), static_cast<std::filesystem::perms>(mode));
}

void SandboxFixture::AddExtension(const std::string& name, int mode) {
  const auto extensions = folder() / "layers" / "extensions";
  std::filesystem::create_directories(extensions);
  for (const auto& path : {folder() / "layers", extensions}) {
    std::filesystem::permissions(path, std::filesystem::perms(0755));
  }
  std::filesystem::copy(KELVIN_TEST_FUNCTION, extensions / name);
  std::filesystem::permissions(extensions / name, static_cast<std::filesystem::perms>(mode));
}

std::expected<void, Error> SandboxFixture::StartExtension(Sandbox& sandbox, const std::string& name,
                                                          const std::string& what_to_do,
                                                          int output) {
  return sandbox.StartExtension(
      {.name = name, .environment = {{"DO", what_to_do}}, .output = output});
}

SandboxSpec SandboxFixture::Spec(const std::string& what_to_do, Sizes sizes) {
  const auto layers = folder() / "layers";
  return {.id = fmt::format("test-{}", ++last_id_),
          .code = folder() / "code",
          .layers = std::filesystem::exists(layers) ? layers : std::filesystem::path{},
          .environment = {{"DO", what_to_do}, {"EMPTY", ""}},
          .memory_mb = sizes.memory_mb,
          .tmp_mb = sizes.tmp_mb};
}

Sandbox& SandboxFixture::Create(const std::string& what_to_do, Sizes sizes) {
  return Create(Spec(what_to_do, sizes));
}

Sandbox& SandboxFixture::Create(const SandboxSpec& spec) {
  entries_.push_back(std::make_unique<Entry>());
  Entry* const entry = entries_.back().get();
  auto made = sandboxes_->Create(spec, [entry](ExitStatus exit) { entry->exits.push_back(exit); });
  if (!made) throw std::runtime_error(made.error().message);
  entry->sandbox = std::move(*made);
  return *entry->sandbox;
}

void SandboxFixture::Destroy(Sandbox& sandbox) {
  EntryOf(sandbox).sandbox.reset();
}

SandboxFixture::Entry& SandboxFixture::EntryOf(Sandbox& sandbox) {
  return **std::ranges::find_if(
      entries_, [&](const auto& entry) { return entry->sandbox.get() == &sandbox; });
}

bool SandboxFixture::Started(Sandbox& sandbox) {
  auto started = sandbox.Start();
  if (!started) ADD_FAILURE() << started.error().message;
  return started.has_value();
}

void SandboxFixture::DispatchOnce() {
  WaitUntilReadable(sandboxes_->event_fd());
  sandboxes_->Dispatch();
}

ExitStatus SandboxFixture::WaitForExit(Sandbox& sandbox) {
  Entry& entry = EntryOf(sandbox);
  while (entry.exits.empty()) DispatchOnce();
  const ExitStatus exit = entry.exits.front();
  entry.exits.erase(entry.exits.begin());
  return exit;
}

void SandboxFixture::WaitForOutput(Sandbox& sandbox) {
  if (sandboxes_ == nullptr) return WaitUntilReadable(sandbox.output_fd());
  // A function whose memory has come to a mark waits until somebody looks (cgroup v2).
  pollfd waits[] = {{sandbox.output_fd(), POLLIN, 0}, {sandboxes_->event_fd(), POLLIN, 0}};
  ::poll(waits, std::size(waits), -1);
  if (waits[1].revents != 0) sandboxes_->Dispatch();
}

std::string SandboxFixture::ReadLine(Sandbox& sandbox) {
  std::string line;
  for (char next = 0; next != '\n';) {
    if (::read(sandbox.output_fd(), &next, 1) != 1) {
      WaitForOutput(sandbox);
    } else if (next != '\n') {
      line.push_back(next);
    }
  }
  return line;
}

std::string SandboxFixture::ReadWhatIsThere(Sandbox& sandbox) {
  std::string text;
  std::array<char, 65536> block;
  for (;;) {
    const ssize_t got = ::read(sandbox.output_fd(), block.data(), block.size());
    if (got <= 0) return text;
    text.append(block.data(), static_cast<std::size_t>(got));
  }
}

void SandboxFixture::DrainUntilSilent(Sandbox& sandbox) {
  pollfd wait{sandbox.output_fd(), POLLIN, 0};
  do {
    ReadWhatIsThere(sandbox);
  } while (::poll(&wait, 1, kSilenceMs) != 0);
}

bool SandboxFixture::AllWritersAreGone(int pipe) {
  std::array<char, 4096> block;
  for (;;) {
    const ssize_t got = ::read(pipe, block.data(), block.size());
    if (got == 0) return true;
    if (got < 0) WaitUntilReadable(pipe);
  }
}

}  // namespace kelvin::sandbox

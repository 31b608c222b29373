#pragma once

#include <string>

#include "base/file.h"
#include "sandbox/host_sandboxes.h"
#include "sandbox/sandbox.h"

namespace kelvin::sandbox {

// For tests with real sandboxes: a package whose bootstrap does what DO says (test_function.cc).
// Waits have no time limit of their own; the test program's is the limit.
class SandboxFixture {
 public:
  struct Sizes {
    int memory_mb = 128;
    int tmp_mb = 64;
  };

  SandboxFixture();
  void Open(const HostFacilities& facilities);
  Sandboxes& sandboxes() { return *sandboxes_; }
  void Close() { sandboxes_.reset(); }

  const std::filesystem::path& folder() const { return folder_.path(); }
  std::filesystem::path state() const { return folder() / "state"; }
  std::filesystem::path bootstrap() const { return folder() / "code" / "bootstrap"; }
  void WriteBootstrap(std::string_view content, int mode);
  // Of sandboxes made from now on: does what DO says, like the bootstrap.
  void AddExtension(const std::string& name, int mode = 0755);

  SandboxSpec Spec(const std::string& what_to_do, Sizes sizes);
  SandboxSpec Spec(const std::string& what_to_do) { return Spec(what_to_do, Sizes{}); }
  // Fails the test if it cannot; the sandbox lives as long as the fixture or until Destroy.
  Sandbox& Create(const SandboxSpec& spec);
  Sandbox& Create(const std::string& what_to_do, Sizes sizes);
  Sandbox& Create(const std::string& what_to_do) { return Create(what_to_do, Sizes{}); }
  void Destroy(Sandbox& sandbox);

  static bool Started(Sandbox& sandbox);
  void DispatchOnce();  // waits for something to dispatch
  ExitStatus WaitForExit(Sandbox& sandbox);
  // Starts an extension that does what it is told, on the output of the first process.
  static std::expected<void, Error> StartExtension(Sandbox& sandbox, const std::string& name,
                                                   const std::string& what_to_do, int output);

  // Of what the sandbox printed; without the line feed.
  std::string ReadLine(Sandbox& sandbox);
  static std::string ReadWhatIsThere(Sandbox& sandbox);
  // Ends when the sandbox has printed nothing for a while; never, if it goes on printing.
  static void DrainUntilSilent(Sandbox& sandbox);
  // Waits for the end of a pipe.
  static bool AllWritersAreGone(int pipe);

 private:
  struct Entry {
    std::unique_ptr<Sandbox> sandbox;
    std::vector<ExitStatus> exits;
  };
  Entry& EntryOf(Sandbox& sandbox);
  void WaitForOutput(Sandbox& sandbox);

  TemporaryDirectory folder_;
  std::unique_ptr<Sandboxes> sandboxes_;
  std::vector<std::unique_ptr<Entry>> entries_;
  int last_id_ = 0;
};

}  // namespace kelvin::sandbox

// What inspecting and packing cost, beside zip -6 on the same bytes in the same run.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/file.h"
#include "package/inspect.h"
#include "package/make_image.h"
#include "package/zip.h"

namespace {

using kelvin::package::PackEntry;

constexpr std::size_t kBytes = 50 << 20;
constexpr int kRounds = 5;

double MedianMs(const std::function<void()>& work) {
  std::vector<double> times;
  for (int i = 0; i < kRounds; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    work();
    times.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
            .count());
  }
  std::ranges::nth_element(times, times.begin() + kRounds / 2);
  return times[kRounds / 2];
}

// Machine code, as in a package: this program and what it is linked with, over and over.
std::string Sample() {
  std::string bytes;
  for (const char* path :
       {"/proc/self/exe", "/usr/bin/cmake", "/usr/bin/git", "/usr/bin/python3"}) {
    if (auto file = kelvin::ReadFile(path)) bytes += *file;
  }
  while (bytes.size() < kBytes) bytes += bytes.substr(0, kBytes - bytes.size());
  bytes.resize(kBytes);
  return bytes;
}

int Fail(const std::string& message) {
  fmt::print(stderr, "package_bench: {}\n", message);
  return 1;
}

}  // namespace

int main() {
  const auto folder = kelvin::TemporaryDirectory::Create();
  if (!folder) return Fail(folder.error().message);
  const auto sample = folder->path() / "bootstrap";
  if (auto written = kelvin::WriteFileAtomically(sample, Sample(), 0755); !written) {
    return Fail(written.error().message);
  }
  const std::vector<PackEntry> entries{{.name = "bootstrap", .source = sample, .executable = true}};
  std::string zip;
  const double pack = MedianMs([&] { zip = kelvin::package::MakeZip(entries).value(); });
  const auto theirs = folder->path() / "theirs.zip";
  const std::string command =
      fmt::format("rm -f {0} && zip -q -X -j -6 {0} {1}", theirs.native(), sample.native());
  const double peer = MedianMs([&] {
    if (std::system(command.c_str()) != 0) std::exit(Fail("expected the command zip, it failed"));
  });
  const auto peer_size = std::filesystem::file_size(theirs);
  fmt::print("pack 50 MB      {:8.0f} ms, zip -6 {:.0f} ms: {:.2f} of its time\n", pack, peer,
             pack / peer);
  fmt::print("                {:8.2f} MB, zip -6 {:.2f} MB: {:.3f} of its size\n",
             static_cast<double>(zip.size()) / 1e6, static_cast<double>(peer_size) / 1e6,
             static_cast<double>(zip.size()) / static_cast<double>(peer_size));
  const double inspect = MedianMs([&] {
    const auto contents = kelvin::package::ReadContents(zip, "sample.zip");
    if (!contents || !kelvin::package::Inspect(*contents, {})) std::exit(Fail("cannot inspect"));
  });
  fmt::print("inspect 50 MB   {:8.0f} ms\n", inspect);

  const std::vector<PackEntry> function{
      {.name = "bootstrap", .source = KELVIN_BENCH_FUNCTION, .executable = true}};
  std::string image;
  const double pack_image =
      MedianMs([&] { image = kelvin::package::MakeImage(function, {}).value(); });
  fmt::print("image of create-item-aot {:.0f} ms, {:.2f} MB\n", pack_image,
             static_cast<double>(image.size()) / 1e6);
  return 0;
}

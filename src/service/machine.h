#pragma once

#include <filesystem>
#include <string_view>

namespace kelvin::service {

enum class Architecture { kX86, kArm };
std::string_view ArchitectureName(Architecture architecture);

// Whether programs for the architecture that is not the machine's own run as well.
enum class Emulation { kNo, kYes };

// What a host can run.
struct Machine {
  Architecture native;
  Emulation emulation = Emulation::kNo;

  bool Runs(Architecture architecture) const {
    return architecture == native || emulation == Emulation::kYes;
  }
};

// The one that this was compiled for. It emulates when an emulator is registered in `binfmt_misc`,
// a folder as /proc/sys/fs/binfmt_misc, that the kernel holds open (flag F), since environments
// have no such file of their own. qemu-user-static of Debian is one.
Machine HostMachine(const std::filesystem::path& binfmt_misc = "/proc/sys/fs/binfmt_misc");

}  // namespace kelvin::service

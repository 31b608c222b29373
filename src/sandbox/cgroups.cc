#include "sandbox/cgroups.h"

#include <charconv>
#include <chrono>
#include <optional>
#include <set>
#include <thread>

#include <fmt/format.h>
#include <signal.h>
#include <sys/types.h>

namespace kelvin::sandbox {
namespace {

constexpr std::string_view kInstancePrefix = "kelvin-";
constexpr std::string_view kServiceGroup = "kelvin-service";
// How long what was killed may take to be gone.
constexpr int kRemovalPasses = 2000;
constexpr std::chrono::milliseconds kRemovalPause{1};

void KillAll(CgroupFs& fs, const std::filesystem::path& folder) {
  const auto listed = fs.Read(folder / "cgroup.procs");
  if (!listed) return;
  const char* at = listed->data();
  const char* const end = at + listed->size();
  while (at < end) {
    pid_t pid = 0;
    const auto parsed = std::from_chars(at, end, pid);
    if (pid > 0) ::kill(pid, SIGKILL);
    at = parsed.ptr + 1;
  }
}

void RemoveGroup(CgroupFs& fs, const std::filesystem::path& folder) {
  // A process may fork between the listing and its own end, so kill until nobody is left.
  for (int pass = 0; pass < kRemovalPasses; ++pass) {
    KillAll(fs, folder);
    if (fs.RemoveFolder(folder)) return;
    std::this_thread::sleep_for(kRemovalPause);
  }
}

// The folders that may hold instances.
std::vector<std::filesystem::path> Parents(const CgroupRoots& roots) {
  std::vector<std::filesystem::path> parents;
  for (const auto* root :
       {&roots.memory, &roots.cpu, &roots.pids, &roots.freezer, &roots.unified, &roots.own}) {
    if (!root->empty()) parents.push_back(*root);
  }
  return parents;
}

void RemoveInstance(CgroupFs& fs, const std::vector<std::filesystem::path>& parents,
                    const std::string& instance) {
  const auto for_each_group = [&](auto&& act) {
    for (const auto& parent : parents) {
      for (const std::string& id : fs.Folders(parent / instance)) act(parent / instance / id);
    }
  };
  // First in all hierarchies, because what one of them holds frozen does not die in another.
  for_each_group([&](const std::filesystem::path& group) {
    (void)fs.Write(group / "cgroup.freeze", "0");
    (void)fs.Write(group / "freezer.state", "THAWED");
  });
  for_each_group([&](const std::filesystem::path& group) { RemoveGroup(fs, group); });
  for (const auto& parent : parents) (void)fs.RemoveFolder(parent / instance);
}

struct Instance {
  int pid = 0;
  std::uint64_t start_time = 0;
};

std::optional<Instance> ParseInstance(std::string_view name) {
  if (!name.starts_with(kInstancePrefix)) return std::nullopt;
  const char* const end = name.data() + name.size();
  Instance instance;
  const auto first = std::from_chars(name.data() + kInstancePrefix.size(), end, instance.pid);
  if (first.ec != std::errc{} || first.ptr == end || *first.ptr != '-') return std::nullopt;
  const auto second = std::from_chars(first.ptr + 1, end, instance.start_time);
  if (second.ec != std::errc{} || second.ptr != end) return std::nullopt;
  return instance;
}

bool Contains(const std::expected<std::string, Error>& words, std::string_view word) {
  return words && fmt::format(" {} ", words->substr(0, words->find('\n')))
                      .contains(fmt::format(" {} ", word));
}

std::string Below(const std::string& base, const std::string& id) {
  return base.empty() ? base : base + '/' + id;
}

}  // namespace

Cgroups::Cgroups(CgroupFs& fs, const CgroupRoots& roots, std::string instance, int pid)
    : fs_(fs), roots_(roots), instance_(std::move(instance)) {
  TryV2(roots, pid);
  TryV1(roots);
  DescribeMissing();
}

Cgroups::~Cgroups() {
  RemoveAll();
}

void Cgroups::TryV2(const CgroupRoots& roots, int pid) {
  if (roots.unified.empty()) return;
  std::filesystem::path parent = roots.unified;
  if (!fs_.MakeFolder(parent / instance_)) {
    parent = roots.own;
    if (parent.empty() || !fs_.MakeFolder(parent / instance_)) return;
  }
  const std::filesystem::path base = parent / instance_;
  const auto available = fs_.Read(parent / "cgroup.controllers");
  const auto enable = [&](std::string_view controller) {
    if (!Contains(available, controller)) return false;
    const std::string text = fmt::format("+{}", controller);
    if (!fs_.Write(parent / "cgroup.subtree_control", text)) {
      // A group with processes of its own cannot share out its controllers: step aside, if this
      // process is all there is in it.
      if (parent != roots.own) return false;
      (void)fs_.MakeFolder(parent / kServiceGroup);
      (void)fs_.Write(parent / kServiceGroup / "cgroup.procs", fmt::format("{}", pid));
      if (!fs_.Write(parent / "cgroup.subtree_control", text)) return false;
    }
    return fs_.Write(base / "cgroup.subtree_control", text).has_value();
  };
  const auto use = [&](CgroupVersion& version, std::string& folder) {
    version = CgroupVersion::kV2;
    folder = base.native();
  };
  if (enable("memory")) use(versions_.memory, bases_.memory);
  if (enable("cpu")) use(versions_.cpu, bases_.cpu);
  if (enable("pids")) use(versions_.pids, bases_.pids);
  // Needs no controller, so it also works where v1 has them all. Since Linux 5.2.
  if (fs_.Write(base / "cgroup.freeze", "0")) use(versions_.freezer, bases_.freezer);
}

void Cgroups::TryV1(const CgroupRoots& roots) {
  const auto attempt = [&](const std::filesystem::path& root, CgroupVersion& version,
                           std::string& base) {
    if (version != CgroupVersion::kNone || root.empty()) return;
    const auto made = fs_.MakeFolder(root / instance_);
    if (!made && made.error().code != ErrorCode::kAlreadyExists) return;
    version = CgroupVersion::kV1;
    base = (root / instance_).native();
  };
  attempt(roots.memory, versions_.memory, bases_.memory);
  attempt(roots.cpu, versions_.cpu, bases_.cpu);
  attempt(roots.pids, versions_.pids, bases_.pids);
  attempt(roots.freezer, versions_.freezer, bases_.freezer);
}

void Cgroups::DescribeMissing() {
  const auto describe = [&](CgroupVersion version, std::string_view what) {
    if (version == CgroupVersion::kNone) missing_.emplace_back(what);
  };
  describe(versions_.memory,
           "no memory cgroup can be used: the memory ceiling is checked 20 times a second instead "
           "of by the kernel, and a function that grows faster passes it for a moment");
  describe(versions_.cpu,
           "no cpu cgroup can be used: functions run at full speed whatever their memory size");
  describe(versions_.pids,
           "no pids cgroup can be used: a function may start any number of processes");
  describe(versions_.freezer,
           "no freezer cgroup can be used: functions are stopped by signals, which they can see");
  if (missing_.empty()) return;
  missing_.back() +=
      "; to have cgroups, run kelvin as root, or with cgroup v2 under systemd-run --user --scope "
      "-p Delegate=yes";
}

std::expected<std::unique_ptr<Cgroup>, Error> Cgroups::Make(const std::string& id) {
  CgroupFolders folders{.memory = Below(bases_.memory, id),
                        .cpu = Below(bases_.cpu, id),
                        .pids = Below(bases_.pids, id),
                        .freezer = Below(bases_.freezer, id)};
  const auto all = folders.All();
  auto group = std::make_unique<Cgroup>(fs_, versions_, std::move(folders));
  for (const auto& folder : all) {
    if (auto made = fs_.MakeFolder(folder); !made) return std::unexpected(std::move(made.error()));
  }
  return group;
}

void Cgroups::RemoveAll() {
  RemoveInstance(fs_, Parents(roots_), instance_);
}

void Cgroups::RemoveStale(CgroupFs& fs, const CgroupRoots& roots,
                          const std::function<bool(int pid, std::uint64_t start_time)>& is_alive) {
  const auto parents = Parents(roots);
  std::set<std::string> stale;
  for (const auto& parent : parents) {
    for (const std::string& name : fs.Folders(parent)) {
      const auto instance = ParseInstance(name);
      if (instance && !is_alive(instance->pid, instance->start_time)) stale.insert(name);
    }
  }
  for (const std::string& instance : stale) RemoveInstance(fs, parents, instance);
}

}  // namespace kelvin::sandbox

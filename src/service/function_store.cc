#include "service/function_store.h"

#include <algorithm>
#include <tuple>

#include <boost/json.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/encoding.h"
#include "package/zip.h"
#include "service/destinations.h"

namespace kelvin::service {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::string_view kHalfWritten = ".new";

std::unexpected<Error> FileError(std::string_view doing, const std::error_code& error) {
  return std::unexpected(ErrnoError(doing, error.value()));
}

// Base64 has '/', so files are named by the hexadecimal form.
std::string HexOfSha(std::string_view base64) {
  const auto bytes = Base64Decode(base64);
  return bytes ? HexEncode(*bytes) : std::string("invalid");
}

std::expected<UniqueFd, Error> Lock(const fs::path& folder) {
  const fs::path path = folder / "lock";
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!fd.valid()) return std::unexpected(ErrnoError(fmt::format("open {}", path.native()), errno));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    std::string holder = ReadFile(path, 64).value_or("");
    if (holder.empty()) holder = "unknown";
    return std::unexpected(
        Error{ErrorCode::kAlreadyExists,
              fmt::format("the state folder {} is used by another service (process {}); stop that "
                          "one, or give this one a folder of its own",
                          folder.native(), holder)});
  }
  const std::string pid = std::to_string(::getpid());
  if (::ftruncate(fd.get(), 0) != 0) return std::unexpected(ErrnoError("write the lock", errno));
  auto written = WriteAll(fd.get(), pid);
  if (!written) return std::unexpected(std::move(written.error()));
  return fd;
}

std::expected<void, Error> SyncFolder(const fs::path& folder) {
  const UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid() || ::fsync(fd.get()) != 0) {
    return std::unexpected(ErrnoError(fmt::format("sync {}", folder.native()), errno));
  }
  return {};
}

std::expected<void, Error> RemoveDurably(const fs::path& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    return std::unexpected(ErrnoError(fmt::format("remove {}", path.native()), errno));
  }
  return SyncFolder(path.parent_path());
}

std::unexpected<Error> Corrupt(const fs::path& path, std::string_view why) {
  return std::unexpected(
      Error{ErrorCode::kCorrupt,
            fmt::format("{} is damaged: {}; mend it, or move it away to go on without it",
                        path.native(), why)});
}

std::vector<const FunctionConfig*> ConfigsOf(const FunctionRecord& record) {
  std::vector<const FunctionConfig*> configs{&record.latest};
  for (const auto& [number, config] : record.versions) configs.push_back(&config);
  return configs;
}

// The base64 SHA-256 of every package that a function needs.
std::set<std::string> CodeOf(const FunctionRecord& record) {
  std::set<std::string> all;
  for (const FunctionConfig* config : ConfigsOf(record)) {
    all.insert(config->code_sha256);
    for (const LayerUse& layer : config->layers) all.insert(layer.code_sha256);
  }
  return all;
}

std::uint64_t SizeOfFiles(const fs::path& folder) {
  std::uint64_t bytes = 0;
  std::error_code ignored;
  for (const auto& entry : fs::recursive_directory_iterator(folder, ignored)) {
    if (entry.symlink_status(ignored).type() == fs::file_type::regular) {
      bytes += entry.file_size(ignored);
    }
  }
  return bytes;
}

// Makes the folder `into`, unless it is there: `fill` is given one beside it, which takes its name
// when all went well.
template <typename Fill>
std::expected<void, Error> MakeFolderWhole(const fs::path& into, Fill&& fill) {
  std::error_code error;
  if (fs::exists(into, error)) return {};
  fs::path beside = into;
  beside += kHalfWritten;
  fs::remove_all(beside, error);
  if (!fs::create_directory(beside, error)) {
    return FileError(fmt::format("create {}", beside.native()), error);
  }
  std::expected<void, Error> filled = fill(beside);
  if (filled) {
    fs::rename(beside, into, error);
    if (!error) return {};
    return FileError(fmt::format("rename {}", beside.native()), error);
  }
  fs::remove_all(beside, error);
  return filled;
}

// Calls `use(path, text)` with each .json file of the folder, until one fails.
template <typename Use>
std::expected<void, Error> ForEachJson(const fs::path& folder, Use&& use) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() != ".json") continue;
    auto text = ReadFile(entry.path());
    if (!text) return std::unexpected(std::move(text.error()));
    auto used = use(entry.path(), *text);
    if (!used) return used;
  }
  if (error) return FileError(fmt::format("read {}", folder.native()), error);
  return {};
}

std::string EventJson(const StoredEvent& event) {
  // Base64: a payload is any JSON text, and a text within JSON would have to be escaped.
  return json::serialize(json::object{{"request_id", event.request_id},
                                      {"function", event.function},
                                      {"qualifier", event.qualifier},
                                      {"payload", Base64Encode(event.payload)},
                                      {"client_context", Base64Encode(event.client_context)},
                                      {"trace_id", event.trace_id},
                                      {"accepted_ms", event.accepted_ms},
                                      {"attempts", event.attempts}});
}

std::expected<StoredEvent, std::string> ReadEvent(std::string_view text) {
  try {
    const json::value value = json::parse(text);
    const auto string = [&](std::string_view name) {
      return std::string(value.at(name).as_string());
    };
    StoredEvent event;
    event.request_id = string("request_id");
    event.function = string("function");
    if (value.as_object().contains("qualifier")) event.qualifier = string("qualifier");
    event.trace_id = string("trace_id");
    event.accepted_ms = value.at("accepted_ms").to_number<std::int64_t>();
    event.attempts = value.at("attempts").to_number<int>();
    auto payload = Base64Decode(string("payload"));
    auto context = Base64Decode(string("client_context"));
    if (!payload || !context) return std::unexpected("expected base64");
    event.payload = std::move(*payload);
    event.client_context = std::move(*context);
    return event;
  } catch (const std::exception& exception) {
    return std::unexpected(exception.what());
  }
}

}  // namespace

FunctionStore::FunctionStore(fs::path folder, UniqueFd lock)
    : folder_(std::move(folder)), lock_(std::move(lock)) {}

std::expected<FunctionStore, Error> FunctionStore::Open(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return FileError(fmt::format("create {}", folder.native()), error);
  auto lock = Lock(folder);
  if (!lock) return std::unexpected(std::move(lock.error()));
  FunctionStore store(fs::absolute(folder), std::move(*lock));
  auto opened = store.MakeFolders();
  if (opened) store.SweepHalfWritten();
  if (opened) opened = store.DropCacheOfAnEarlierBoot();
  if (opened) opened = store.LoadFunctions();
  if (opened) opened = store.LoadLayers();
  if (opened) opened = store.LoadEvents();
  if (!opened) return std::unexpected(std::move(opened.error()));
  store.RemoveUnusedCode();
  return store;
}

std::expected<void, Error> FunctionStore::MakeFolders() {
  for (const char* name : {"functions", "layers", "events", "code", "unpacked", "logs"}) {
    std::error_code error;
    fs::create_directories(folder_ / name, error);
    if (error) return FileError(fmt::format("create {}", (folder_ / name).native()), error);
    if (::access((folder_ / name).c_str(), W_OK) != 0) {
      return std::unexpected(
          ErrnoError(fmt::format("write to {}", (folder_ / name).native()), errno));
    }
  }
  return {};
}

void FunctionStore::SweepHalfWritten() {
  std::error_code ignored;
  for (const char* name : {"functions", "layers", "events", "code", "unpacked"}) {
    std::vector<fs::path> leftovers;
    for (const auto& entry : fs::directory_iterator(folder_ / name, ignored)) {
      if (entry.path().extension() == kHalfWritten) leftovers.push_back(entry.path());
    }
    for (const fs::path& leftover : leftovers) fs::remove_all(leftover, ignored);
  }
}

// Unpacked files are not synced one by one: after a power cut they may be empty. Only within one
// boot of the machine can they be trusted.
std::expected<void, Error> FunctionStore::DropCacheOfAnEarlierBoot() {
  const auto boot = ReadFile("/proc/sys/kernel/random/boot_id");
  const fs::path marker = folder_ / "unpacked" / "boot_id";
  if (boot && ReadFile(marker, 4096).value_or("") == *boot) return {};
  std::error_code error;
  fs::remove_all(folder_ / "unpacked", error);
  if (!error) fs::create_directories(folder_ / "unpacked", error);
  if (error) return FileError(fmt::format("empty {}", (folder_ / "unpacked").native()), error);
  return WriteFileAtomically(marker, boot.value_or(""));
}

std::expected<void, Error> FunctionStore::LoadFunctions() {
  return ForEachJson(
      folder_ / "functions",
      [&](const fs::path& path, std::string_view text) -> std::expected<void, Error> {
        auto record = ReadStoredRecord(text);
        if (!record) return Corrupt(path, record.error().message);
        if (path.stem() != record->name()) {
          return Corrupt(path, "it holds the function " + record->name());
        }
        for (const std::string& sha256 : CodeOf(*record)) {
          if (auto there = CheckZip(path, sha256); !there) return there;
        }
        functions.push_back(std::move(*record));
        return {};
      });
}

std::expected<void, Error> FunctionStore::LoadLayers() {
  return ForEachJson(
      folder_ / "layers",
      [&](const fs::path& path, std::string_view text) -> std::expected<void, Error> {
        auto layer = ReadStoredLayer(text);
        if (!layer) return Corrupt(path, layer.error().message);
        if (path.stem() != layer->name) return Corrupt(path, "it holds the layer " + layer->name);
        for (const auto& [number, version] : layer->versions) {
          if (auto there = CheckZip(path, version.code_sha256); !there) return there;
        }
        layers.push_back(std::move(*layer));
        return {};
      });
}

// Of what the file at `path` refers to.
std::expected<void, Error> FunctionStore::CheckZip(const fs::path& path,
                                                   std::string_view code_sha256) const {
  std::error_code error;
  if (fs::exists(ZipPath(code_sha256), error)) return {};
  return Corrupt(path, fmt::format("its package {} is missing", ZipPath(code_sha256).native()));
}

std::expected<void, Error> FunctionStore::LoadEvents() {
  auto loaded =
      ForEachJson(folder_ / "events",
                  [&](const fs::path& path, std::string_view text) -> std::expected<void, Error> {
                    auto event = ReadEvent(text);
                    if (!event) return Corrupt(path, event.error());
                    events.push_back(std::move(*event));
                    return {};
                  });
  // They go on in the order in which they came; within a millisecond nobody knows it any more.
  std::ranges::sort(events, {}, [](const StoredEvent& event) {
    return std::tie(event.accepted_ms, event.request_id);
  });
  return loaded;
}

std::expected<void, Error> FunctionStore::PutFunction(const FunctionRecord& record) {
  return WriteFileAtomically(folder_ / "functions" / (record.name() + ".json"), StoredJson(record));
}

std::expected<void, Error> FunctionStore::RemoveFunction(std::string_view name) {
  return RemoveDurably(folder_ / "functions" / fmt::format("{}.json", name));
}

fs::path FunctionStore::code_folder(std::string_view code_sha256) const {
  return folder_ / "unpacked" / HexOfSha(code_sha256);
}

fs::path FunctionStore::ZipPath(std::string_view code_sha256) const {
  return folder_ / "code" / (HexOfSha(code_sha256) + ".zip");
}

std::expected<void, Error> FunctionStore::PutLayer(const Layer& layer) {
  return WriteFileAtomically(folder_ / "layers" / (layer.name + ".json"), StoredJson(layer));
}

fs::path FunctionStore::layers_folder(const std::vector<LayerUse>& layers) const {
  if (layers.empty()) return {};
  if (layers.size() == 1) return code_folder(layers.front().code_sha256);
  std::string all;
  for (const LayerUse& layer : layers) all += layer.code_sha256;
  return code_folder(package::CodeSha256(all));
}

std::expected<StoredCode, Error> FunctionStore::PutCode(std::string_view zip) {
  StoredCode code{package::CodeSha256(zip), zip.size(), 0};
  // Unpacked first: a package that cannot be is never kept.
  auto unpacked = Unpack(zip, code_folder(code.sha256));
  if (!unpacked) return std::unexpected(std::move(unpacked.error()));
  auto written = WriteFileAtomically(ZipPath(code.sha256), zip);
  if (!written) return std::unexpected(std::move(written.error()));
  code.unpacked_size = SizeOfFiles(code_folder(code.sha256));
  return code;
}

std::expected<void, Error> FunctionStore::EnsureUnpacked(const FunctionConfig& config) {
  auto unpacked = EnsureUnpacked(config.code_sha256);
  for (const LayerUse& layer : config.layers) {
    if (unpacked) unpacked = EnsureUnpacked(layer.code_sha256);
  }
  if (!unpacked || config.layers.size() < 2) return unpacked;
  const fs::path into = layers_folder(config.layers);
  return MakeFolderWhole(into,
                         [&](const fs::path& beside) { return Merge(config.layers, beside); });
}

// Files are linked, not copied. Of two with the same name the later layer's counts.
std::expected<void, Error> FunctionStore::Merge(const std::vector<LayerUse>& merged,
                                                const fs::path& into) {
  for (const LayerUse& layer : merged) {
    const fs::path from = code_folder(layer.code_sha256);
    std::error_code error;
    for (const auto& entry : fs::recursive_directory_iterator(from, error)) {
      const fs::path target = into / entry.path().lexically_relative(from);
      const auto there = fs::symlink_status(target, error);
      const bool is_folder = entry.symlink_status().type() == fs::file_type::directory;
      if (is_folder && there.type() == fs::file_type::directory) continue;
      if (fs::exists(there)) fs::remove_all(target, error);
      error.clear();
      if (is_folder) {
        fs::create_directory(target, error);
      } else if (entry.is_symlink()) {
        fs::copy_symlink(entry.path(), target, error);
      } else {
        fs::create_hard_link(entry.path(), target, error);
      }
      if (error) return FileError(fmt::format("merge {} into /opt", entry.path().native()), error);
    }
    if (error) return FileError(fmt::format("read {}", from.native()), error);
  }
  return {};
}

std::expected<void, Error> FunctionStore::EnsureUnpacked(std::string_view code_sha256) {
  const fs::path into = code_folder(code_sha256);
  std::error_code error;
  if (fs::exists(into, error)) return {};
  auto zip = ReadFile(ZipPath(code_sha256));
  if (!zip) return std::unexpected(std::move(zip.error()));
  if (package::CodeSha256(*zip) != code_sha256) {
    return Corrupt(ZipPath(code_sha256), "its SHA-256 is not what its name says");
  }
  return Unpack(*zip, into);
}

std::expected<void, Error> FunctionStore::Unpack(std::string_view zip, const fs::path& into) {
  return MakeFolderWhole(into, [&](const fs::path& beside) -> std::expected<void, Error> {
    auto unpacked = package::UnpackZip(zip, beside);
    if (!unpacked) return std::unexpected(std::move(unpacked.error()));
    return {};
  });
}

void FunctionStore::RemoveUnusedCode() {
  std::set<std::string, std::less<>> names{"boot_id"};
  for (const FunctionRecord& record : functions) {
    for (const std::string& sha256 : CodeOf(record)) names.insert(HexOfSha(sha256));
    for (const FunctionConfig* config : ConfigsOf(record)) {
      if (!config->layers.empty()) names.insert(layers_folder(config->layers).filename().native());
    }
  }
  for (const Layer& layer : layers) {
    for (const auto& [number, version] : layer.versions) {
      names.insert(HexOfSha(version.code_sha256));
    }
  }
  for (const char* folder : {"code", "unpacked"}) {
    std::error_code ignored;
    std::vector<fs::path> unused;
    for (const auto& entry : fs::directory_iterator(folder_ / folder, ignored)) {
      if (!names.contains(entry.path().stem().native())) unused.push_back(entry.path());
    }
    for (const fs::path& path : unused) fs::remove_all(path, ignored);
  }
}

std::expected<void, Error> FunctionStore::PutEvent(const StoredEvent& event) {
  return WriteFileAtomically(folder_ / "events" / (event.request_id + ".json"), EventJson(event));
}

std::expected<void, Error> FunctionStore::RemoveEvent(std::string_view request_id) {
  return RemoveDurably(folder_ / "events" / fmt::format("{}.json", request_id));
}

std::expected<void, Error> FunctionStore::AppendToDestination(std::string_view arn,
                                                              std::string_view line) {
  const fs::path path = DestinationFile(logs_folder(), arn);
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!file.valid()) {
    return std::unexpected(ErrnoError(fmt::format("open {}", path.native()), errno));
  }
  auto written = WriteAll(file.get(), fmt::format("{}\n", line));
  if (written && ::fdatasync(file.get()) != 0) {
    return std::unexpected(ErrnoError(fmt::format("sync {}", path.native()), errno));
  }
  return written;
}

}  // namespace kelvin::service

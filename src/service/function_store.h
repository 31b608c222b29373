#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "service/function_record.h"
#include "service/layer.h"

namespace kelvin::service {

// An event that was acknowledged and has not been done with yet.
struct StoredEvent {
  std::string request_id;
  std::string function;
  std::string qualifier;  // as the caller gave it; may be empty
  std::string payload;
  std::string client_context;  // decoded
  std::string trace_id;
  std::int64_t accepted_ms = 0;  // since the epoch
  int attempts = 0;              // already made
};

struct StoredCode {
  std::string sha256;  // base64
  std::uint64_t size = 0;
  std::uint64_t unpacked_size = 0;
};

// The state folder. What a call that succeeded wrote is there after kill -9 or a power cut, and a
// call that failed changed nothing:
//   lock              held by the one service that uses the folder
//   functions/N.json  one function each with all that is set for it, replaced as a whole
//   layers/N.json     one layer with its versions each
//   events/ID.json    accepted events
//   code/SHA.zip      packages, by the hexadecimal SHA-256 of their bytes
//   unpacked/SHA/     a cache of what is in them, made again when missing; layers that are used
//                     together are merged there too
//   logs/             what functions wrote; only ever appended to
// Blocking. One call at a time, except those that give a path.
class FunctionStore {
 public:
  // Makes what is missing and sweeps up what a crash left half done. Fails with kAlreadyExists when
  // another service holds the folder, kCorrupt when a file in it cannot be understood (the message
  // names it and how to go on), kPermissionDenied, kResourceExhausted or kIo when it cannot be
  // written.
  static std::expected<FunctionStore, Error> Open(const std::filesystem::path& folder);

  // What Open found. Moved out by the caller.
  std::vector<FunctionRecord> functions;
  std::vector<Layer> layers;
  std::vector<StoredEvent> events;

  std::expected<void, Error> PutFunction(const FunctionRecord& record);
  std::expected<void, Error> RemoveFunction(std::string_view name);

  std::expected<void, Error> PutLayer(const Layer& layer);

  // Keeps a package and unpacks it. Fails with kInvalidArgument when it is no zip that can be
  // unpacked safely, kResourceExhausted when it unpacks to more than Lambda allows or when the disk
  // is full.
  std::expected<StoredCode, Error> PutCode(std::string_view zip);
  // Unpacks again what is missing from the cache of a function's code and layers, and merges the
  // layers.
  std::expected<void, Error> EnsureUnpacked(const FunctionConfig& config);

  std::expected<void, Error> PutEvent(const StoredEvent& event);
  std::expected<void, Error> RemoveEvent(std::string_view request_id);

  // Adds a line, durably, to the file that stands for a destination.
  std::expected<void, Error> AppendToDestination(std::string_view arn, std::string_view line);

  // Where the package of that base64 SHA-256 is unpacked.
  std::filesystem::path code_folder(std::string_view code_sha256) const;
  // Where the layers of a function are merged; empty when it has none.
  std::filesystem::path layers_folder(const std::vector<LayerUse>& layers) const;
  std::filesystem::path logs_folder() const { return folder_ / "logs"; }

 private:
  FunctionStore(std::filesystem::path folder, UniqueFd lock);
  std::expected<void, Error> MakeFolders();
  std::expected<void, Error> DropCacheOfAnEarlierBoot();
  void SweepHalfWritten();
  // Removes the packages that no function and no layer has.
  void RemoveUnusedCode();
  std::expected<void, Error> LoadFunctions();
  std::expected<void, Error> LoadLayers();
  std::expected<void, Error> LoadEvents();
  std::expected<void, Error> EnsureUnpacked(std::string_view code_sha256);
  std::expected<void, Error> Merge(const std::vector<LayerUse>& layers,
                                   const std::filesystem::path& into);
  std::expected<void, Error> CheckZip(const std::filesystem::path& path,
                                      std::string_view code_sha256) const;
  std::filesystem::path ZipPath(std::string_view code_sha256) const;
  std::expected<void, Error> Unpack(std::string_view zip, const std::filesystem::path& into);

  std::filesystem::path folder_;
  UniqueFd lock_;
};

}  // namespace kelvin::service

#include "package/make_image.h"

#include <algorithm>
#include <map>
#include <set>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/file.h"
#include "package/deflate.h"
#include "package/image_reader.h"
#include "package/libarchive.h"
#include "package/sha256.h"

namespace kelvin::package {
namespace {

namespace json = boost::json;

constexpr std::string_view kManifestType = "application/vnd.oci.image.manifest.v1+json";
constexpr std::string_view kConfigType = "application/vnd.oci.image.config.v1+json";
constexpr std::string_view kLayerType = "application/vnd.oci.image.layer.v1.tar";
constexpr std::string_view kEpoch = "1970-01-01T00:00:00Z";

std::unexpected<Error> Refused(std::string message) {
  return std::unexpected(Error{ErrorCode::kInvalidArgument, std::move(message)});
}

la_ssize_t AppendToString(archive*, void* target, const void* bytes, std::size_t size) {
  static_cast<std::string*>(target)->append(static_cast<const char*>(bytes), size);
  return static_cast<la_ssize_t>(size);
}

// A tar whose entries all belong to root and have the time stamp 0.
class TarWriter {
 public:
  TarWriter() : writer_(archive_write_new()) {
    archive_write_set_format_pax_restricted(writer_.get());
    archive_write_set_bytes_per_block(writer_.get(), 10240);
    archive_write_open(writer_.get(), &bytes_, nullptr, AppendToString, nullptr);
  }

  void AddFolder(const std::string& name, unsigned int mode = 0755) {
    Add(name, AE_IFDIR, mode, {}, {});
  }
  void AddFile(const std::string& name, unsigned int mode, std::string_view content) {
    Add(name, AE_IFREG, mode, content, {});
  }
  void AddLink(const std::string& name, const std::string& target) {
    Add(name, AE_IFLNK, 0777, {}, target);
  }
  // The whole tar; the writer can do no more.
  std::expected<std::string, Error> Finish() {
    failed_ |= archive_write_close(writer_.get()) != ARCHIVE_OK;
    if (failed_) {
      return std::unexpected(
          Error{ErrorCode::kInternal,
                fmt::format("cannot make the tar: {}", ArchiveMessage(writer_.get()))});
    }
    writer_.reset();
    return std::move(bytes_);
  }

 private:
  void Add(const std::string& name, unsigned int type, unsigned int mode, std::string_view content,
           const std::string& link) {
    const EntryPtr entry(archive_entry_new());
    archive_entry_set_pathname(entry.get(), name.c_str());
    archive_entry_set_filetype(entry.get(), type);
    archive_entry_set_perm(entry.get(), mode);
    archive_entry_set_mtime(entry.get(), 0, 0);
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(content.size()));
    if (!link.empty()) archive_entry_set_symlink(entry.get(), link.c_str());
    failed_ |= archive_write_header(writer_.get(), entry.get()) != ARCHIVE_OK;
    if (!content.empty()) {
      failed_ |= archive_write_data(writer_.get(), content.data(), content.size()) !=
                 static_cast<la_ssize_t>(content.size());
    }
  }

  Utf8Names utf8_names_;
  std::string bytes_;  // outlives the writer, whose clean-up may still append
  ArchivePtr writer_;
  bool failed_ = false;
};

std::expected<std::string, Error> LayerTar(const std::vector<PackEntry>& entries,
                                           const std::string& folder) {
  TarWriter tar;
  std::set<std::string> folders;
  const auto add_folders_of = [&](const std::string& name) {
    for (std::size_t at = name.find('/'); at != name.npos; at = name.find('/', at + 1)) {
      if (folders.insert(name.substr(0, at)).second) tar.AddFolder(name.substr(0, at + 1));
    }
  };
  tar.AddFolder("tmp/", 01777);
  for (const PackEntry& entry : entries) {
    const std::string name = fmt::format("{}/{}", folder, entry.name);
    add_folders_of(name);
    if (!entry.link_target.empty()) {
      tar.AddLink(name, entry.link_target);
      continue;
    }
    const auto content = ReadFile(entry.source);
    if (!content) return std::unexpected(content.error());
    tar.AddFile(name, entry.executable ? 0755 : 0644, *content);
  }
  return tar.Finish();
}

std::string_view DockerArchitecture(std::string_view architecture) {
  return architecture == "arm64" ? "arm64" : "amd64";
}

json::object ScratchConfig(const ImageOptions& options) {
  return {{"architecture", DockerArchitecture(options.architecture)},
          {"os", "linux"},
          {"created", kEpoch},
          {"config", {{"Env", {"PATH=/usr/local/bin:/usr/bin:/bin:/opt/bin"}}}},
          {"rootfs", {{"type", "layers"}, {"diff_ids", json::array()}}},
          {"history", json::array()}};
}

std::expected<json::object, Error> BaseConfig(const ImageParts& base, const ImageOptions& options) {
  boost::system::error_code failed;
  json::value config = json::parse(base.config, failed);
  json::object* object = failed ? nullptr : config.if_object();
  const json::value* root = object != nullptr ? object->if_contains("rootfs") : nullptr;
  const json::object* rootfs = root != nullptr ? root->if_object() : nullptr;
  const json::value* ids = rootfs != nullptr ? rootfs->if_contains("diff_ids") : nullptr;
  if (ids == nullptr || !ids->is_array() || ids->as_array().size() != base.layers.size()) {
    return Refused("expected the base image's configuration to list the digest of each layer");
  }
  const json::value* architecture = object->if_contains("architecture");
  const auto wanted = DockerArchitecture(options.architecture);
  if (architecture == nullptr || !architecture->is_string() ||
      std::string_view(architecture->as_string()) != wanted) {
    return Refused(fmt::format(
        "expected a base image for {}, got one for {}; name another base, or another --arch",
        wanted, architecture != nullptr ? json::serialize(*architecture) : "nothing"));
  }
  return std::move(*object);
}

void Describe(json::object& config, const ImageOptions& options, std::string_view layer_tar) {
  if (json::value* inner = config.if_contains("config"); inner == nullptr || !inner->is_object()) {
    config["config"] = json::object();
  }
  json::object& inner = config["config"].as_object();
  inner["Entrypoint"] = json::array{options.entrypoint};
  inner.erase("Cmd");
  inner["WorkingDir"] = "/" + options.folder;
  config["created"] = kEpoch;
  config["rootfs"].as_object()["diff_ids"].as_array().push_back(
      json::string(DigestName(layer_tar)));
  if (json::value* history = config.if_contains("history");
      history != nullptr && history->is_array()) {
    history->as_array().push_back({{"created", kEpoch}, {"created_by", "kelvin pack"}});
  }
}

json::object Descriptor(std::string_view type, std::string_view bytes) {
  return {{"mediaType", type}, {"digest", DigestName(bytes)}, {"size", bytes.size()}};
}

std::string BlobName(std::string_view bytes) {
  return "blobs/sha256/" + DigestName(bytes).substr(7);
}

std::string LayerType(std::string_view layer) {
  const bool gzip = layer.starts_with("\x1f\x8b");
  const bool zstd = layer.starts_with("\x28\xb5\x2f\xfd");
  return std::string(kLayerType) + (gzip ? "+gzip" : zstd ? "+zstd" : "");
}

std::expected<std::string, Error> Archive(const std::string& config,
                                          const std::vector<std::string>& layers,
                                          const ImageOptions& options) {
  json::array layer_descriptors;
  json::array layer_names;
  std::map<std::string, std::string_view> blobs;
  for (const std::string& layer : layers) {
    layer_descriptors.push_back(Descriptor(LayerType(layer), layer));
    layer_names.push_back(json::string(BlobName(layer)));
    blobs[BlobName(layer)] = layer;
  }
  const std::string manifest =
      json::serialize(json::object{{"schemaVersion", 2},
                                   {"mediaType", kManifestType},
                                   {"config", Descriptor(kConfigType, config)},
                                   {"layers", layer_descriptors}});
  blobs[BlobName(config)] = config;
  blobs[BlobName(manifest)] = manifest;
  json::object descriptor = Descriptor(kManifestType, manifest);
  descriptor["annotations"] = {{"org.opencontainers.image.ref.name", options.tag}};
  descriptor["platform"] = {{"architecture", DockerArchitecture(options.architecture)},
                            {"os", "linux"}};
  TarWriter tar;
  tar.AddFolder("blobs/");
  tar.AddFolder("blobs/sha256/");
  for (const auto& [name, bytes] : blobs) tar.AddFile(name, 0644, bytes);
  tar.AddFile("index.json", 0644,
              json::serialize(json::object{{"schemaVersion", 2},
                                           {"mediaType", "application/vnd.oci.image.index.v1+json"},
                                           {"manifests", json::array{std::move(descriptor)}}}));
  tar.AddFile("manifest.json", 0644,
              json::serialize(json::array{{{"Config", BlobName(config)},
                                           {"RepoTags", json::array{options.tag}},
                                           {"Layers", layer_names}}}));
  tar.AddFile("oci-layout", 0644, R"({"imageLayoutVersion":"1.0.0"})");
  return tar.Finish();
}

// As registries have it: lower-case name, and a tag.
bool IsTag(std::string_view tag) {
  const std::size_t colon = tag.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == tag.size()) return false;
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  };
  const std::string_view name = tag.substr(0, colon);
  return std::ranges::all_of(name, [&](char c) { return allowed(c) || c == '/' || c == ':'; }) &&
         std::ranges::all_of(tag.substr(colon + 1),
                             [&](char c) { return allowed(c) || (c >= 'A' && c <= 'Z'); });
}

}  // namespace

std::expected<std::string, Error> MakeImage(std::vector<PackEntry> entries,
                                            const ImageOptions& options) {
  if (!IsTag(options.tag)) {
    return Refused(
        fmt::format("expected a tag such as hello:latest, in lower case, got \"{}\"", options.tag));
  }
  if (auto checked = SortAndCheck(entries); !checked) {
    return std::unexpected(std::move(checked.error()));
  }
  ImageParts parts;
  json::object config = ScratchConfig(options);
  if (!options.base.empty()) {
    auto base = ReadImageParts(options.base, "the base");
    if (!base) return std::unexpected(std::move(base.error()));
    auto base_config = BaseConfig(*base, options);
    if (!base_config) return std::unexpected(std::move(base_config.error()));
    config = std::move(*base_config);
    parts = std::move(*base);
  }
  const auto layer = LayerTar(entries, options.folder);
  if (!layer) return std::unexpected(layer.error());
  Describe(config, options, *layer);
  parts.layers.push_back(Gzip(*layer));
  return Archive(json::serialize(config), parts.layers, options);
}

}  // namespace kelvin::package

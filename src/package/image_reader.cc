#include "package/image_reader.h"

#include <map>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "package/archive_reader.h"
#include "package/sha256.h"

namespace kelvin::package {
namespace {

namespace json = boost::json;

using Blobs = std::map<std::string, std::string, std::less<>>;
using Files = std::map<std::string, PackagedFile, std::less<>>;

std::unexpected<Error> NotAnImage(std::string_view why) {
  return std::unexpected(
      Error{ErrorCode::kInvalidArgument,
            fmt::format("expected an image archive (OCI layout, or from docker save), {}; write it "
                        "with 'kelvin pack --image', skopeo copy or docker save",
                        why)});
}

std::string_view StringAt(const json::value& value, std::string_view key) {
  const json::object* object = value.if_object();
  const json::value* found = object != nullptr ? object->if_contains(key) : nullptr;
  const json::string* text = found != nullptr ? found->if_string() : nullptr;
  return text != nullptr ? std::string_view(*text) : std::string_view();
}

const json::array* ArrayAt(const json::value& value, std::string_view key) {
  const json::object* object = value.if_object();
  const json::value* found = object != nullptr ? object->if_contains(key) : nullptr;
  return found != nullptr ? found->if_array() : nullptr;
}

std::vector<std::string> StringsAt(const json::value& value, std::string_view key) {
  std::vector<std::string> strings;
  const json::array* array = ArrayAt(value, key);
  if (array == nullptr) return strings;
  for (const json::value& item : *array) {
    if (const json::string* text = item.if_string()) strings.emplace_back(*text);
  }
  return strings;
}

std::expected<json::value, Error> ParseJson(std::string_view text, std::string_view name) {
  boost::system::error_code failed;
  json::value value = json::parse(text, failed);
  if (failed) return NotAnImage(fmt::format("\"{}\" is not JSON", name));
  return value;
}

// Where the parts of the first image are in the archive, and what their digests must be.
struct Manifest {
  std::string config;
  std::vector<std::string> layers;
};

std::expected<std::string_view, Error> BlobOf(const Blobs& blobs, std::string_view digest) {
  if (!digest.starts_with("sha256:")) {
    return NotAnImage(fmt::format("its digest \"{}\" is not a SHA-256", digest));
  }
  const auto blob = blobs.find(fmt::format("blobs/sha256/{}", digest.substr(7)));
  if (blob == blobs.end()) return NotAnImage(fmt::format("the blob {} is missing", digest));
  if (DigestName(blob->second) != digest) {
    return NotAnImage(fmt::format("the blob {} is damaged: its bytes give another digest", digest));
  }
  return blob->second;
}

std::expected<json::value, Error> JsonBlob(const Blobs& blobs, std::string_view digest) {
  auto text = BlobOf(blobs, digest);
  if (!text) return std::unexpected(std::move(text.error()));
  return ParseJson(*text, digest);
}

std::expected<Manifest, Error> OciManifest(const Blobs& blobs, std::string_view index_text) {
  auto index = ParseJson(index_text, "index.json");
  // An index may list indexes, but not for ever.
  for (int depth = 0; index && depth < 4; ++depth) {
    if (const json::array* layers = ArrayAt(*index, "layers")) {
      Manifest manifest{.config = std::string(StringAt(index->at("config"), "digest")),
                        .layers = {}};
      for (const json::value& layer : *layers) {
        manifest.layers.emplace_back(StringAt(layer, "digest"));
      }
      return manifest;
    }
    const json::array* manifests = ArrayAt(*index, "manifests");
    if (manifests == nullptr || manifests->empty()) return NotAnImage("its index lists no image");
    index = JsonBlob(blobs, StringAt(manifests->front(), "digest"));
  }
  if (!index) return std::unexpected(std::move(index.error()));
  return NotAnImage("its indexes lead to no manifest");
}

void Apply(PackagedFile file, Files& files) {
  constexpr std::string_view kWhiteout = ".wh.";
  constexpr std::string_view kOpaque = ".wh..wh..opq";
  const std::size_t slash = file.name.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : file.name.substr(0, slash + 1);
  const std::string base = file.name.substr(folder.size());
  const auto erase_below = [&files](const std::string& prefix) {
    auto first = files.lower_bound(prefix);
    while (first != files.end() && first->first.starts_with(prefix)) first = files.erase(first);
  };
  if (base == kOpaque) {
    erase_below(folder);
  } else if (base.starts_with(kWhiteout)) {
    const std::string gone = folder + base.substr(kWhiteout.size());
    files.erase(gone);
    erase_below(gone + '/');
  } else {
    files.insert_or_assign(file.name, std::move(file));
  }
}

ImageConfig ReadConfig(const json::value& config, std::size_t layers) {
  ImageConfig image{.architecture = std::string(StringAt(config, "architecture")),
                    .os = std::string(StringAt(config, "os")),
                    .entrypoint = {},
                    .command = {},
                    .working_folder = {},
                    .layers = layers};
  const json::object* object = config.if_object();
  const json::value* inner = object != nullptr ? object->if_contains("config") : nullptr;
  if (inner != nullptr) {
    image.entrypoint = StringsAt(*inner, "Entrypoint");
    image.command = StringsAt(*inner, "Cmd");
    image.working_folder = StringAt(*inner, "WorkingDir");
  }
  return image;
}

// A layer is read apart from what lies below it, so that its whiteouts hide only that.
std::expected<void, Error> AddLayer(std::string_view bytes, std::string_view name,
                                    ReadBudget& budget, Files& files) {
  std::vector<PackagedFile> added;
  auto read = ReadArchive(bytes, ArchiveFormat::kTar, fmt::format("the layer {}", name), budget,
                          [&added](PackagedFile file) { added.push_back(std::move(file)); });
  if (!read) return read;
  const auto is_whiteout = [](const PackagedFile& file) {
    const std::size_t slash = file.name.rfind('/');
    return std::string_view(file.name)
        .substr(slash == std::string::npos ? 0 : slash + 1)
        .starts_with(".wh.");
  };
  for (PackagedFile& file : added) {
    if (is_whiteout(file)) Apply(std::move(file), files);
  }
  for (PackagedFile& file : added) {
    if (!file.name.empty()) Apply(std::move(file), files);
  }
  return {};
}

std::expected<ImageParts, Error> OciParts(const Blobs& blobs, std::string_view index) {
  const auto manifest = OciManifest(blobs, index);
  if (!manifest) return std::unexpected(manifest.error());
  const auto config = BlobOf(blobs, manifest->config);
  if (!config) return std::unexpected(config.error());
  ImageParts parts{.config = std::string(*config), .layers = {}};
  for (const std::string& digest : manifest->layers) {
    const auto layer = BlobOf(blobs, digest);
    if (!layer) return std::unexpected(layer.error());
    parts.layers.emplace_back(*layer);
  }
  return parts;
}

std::expected<ImageParts, Error> SavedParts(const Blobs& blobs, std::string_view text) {
  const auto manifest = ParseJson(text, "manifest.json");
  if (!manifest) return std::unexpected(manifest.error());
  const json::array* images = manifest->if_array();
  if (images == nullptr || images->empty()) return NotAnImage("its manifest.json lists no image");
  const auto blob = [&](std::string_view name) -> std::expected<std::string, Error> {
    const auto found = blobs.find(name);
    if (found == blobs.end()) return NotAnImage(fmt::format("\"{}\" is missing", name));
    return found->second;
  };
  auto config = blob(StringAt(images->front(), "Config"));
  if (!config) return std::unexpected(std::move(config.error()));
  ImageParts parts{.config = std::move(*config), .layers = {}};
  for (const std::string& name : StringsAt(images->front(), "Layers")) {
    auto layer = blob(name);
    if (!layer) return std::unexpected(std::move(layer.error()));
    parts.layers.push_back(std::move(*layer));
  }
  return parts;
}

}  // namespace

std::expected<ImageParts, Error> ReadImageParts(std::string_view bytes, std::string_view source,
                                                const ContentsLimits& limits) {
  ReadBudget budget{.bytes = limits.max_bytes, .files = limits.max_files};
  Blobs blobs;
  auto read = ReadArchive(bytes, ArchiveFormat::kTar, source, budget, [&](PackagedFile file) {
    blobs.insert_or_assign(std::move(file.name), std::move(file.content));
  });
  if (!read) return std::unexpected(std::move(read.error()));
  if (const auto index = blobs.find("index.json"); index != blobs.end()) {
    return OciParts(blobs, index->second);
  }
  if (const auto saved = blobs.find("manifest.json"); saved != blobs.end()) {
    return SavedParts(blobs, saved->second);
  }
  return NotAnImage("the tar has neither index.json nor manifest.json");
}

std::expected<Contents, Error> ReadImage(std::string_view bytes, std::string source,
                                         const ContentsLimits& limits) {
  const auto parts = ReadImageParts(bytes, source, limits);
  if (!parts) return std::unexpected(parts.error());
  const auto config = ParseJson(parts->config, "its configuration");
  if (!config) return std::unexpected(config.error());
  ReadBudget budget{.bytes = limits.max_bytes, .files = limits.max_files};
  Files files;
  for (std::size_t i = 0; i < parts->layers.size(); ++i) {
    if (auto added = AddLayer(parts->layers[i], std::to_string(i + 1), budget, files); !added) {
      return std::unexpected(std::move(added.error()));
    }
  }
  Contents contents{.container = Container::kImage,
                    .source = std::move(source),
                    .packed_bytes = bytes.size(),
                    .unpacked_bytes = 0,
                    .files = {},
                    .image = ReadConfig(*config, parts->layers.size())};
  for (auto& [name, file] : files) contents.files.push_back(std::move(file));
  return contents;
}

}  // namespace kelvin::package

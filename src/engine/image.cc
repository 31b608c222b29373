#include "engine/image.h"

#include <cerrno>

#include <fcntl.h>

#include "base/file.h"
#include "engine/elf_symbols.h"
#include "engine/image_loader.h"

namespace kelvin::engine {

std::expected<Image, Error> Image::Load(const std::filesystem::path& path, const BuildId& engine,
                                        std::string_view bitcode, const SymbolResolver& resolve) {
  const auto file = MappedFile::Open(path);
  if (!file) return std::unexpected(file.error());
  const auto object = CheckSeal(file->bytes(), engine, bitcode);
  if (!object) return std::unexpected(object.error());
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return std::unexpected(ErrnoError("open it", errno));
  ImageLoader loader(*object, fd.get());
  if (auto mapped = loader.Map(); !mapped) return std::unexpected(std::move(mapped.error()));
  if (auto connected = loader.Connect(resolve); !connected) {
    return std::unexpected(std::move(connected.error()));
  }
  const auto parts = loader.Index();
  if (!parts) return std::unexpected(parts.error());
  if (auto ready = loader.Protect(); !ready) return std::unexpected(std::move(ready.error()));

  Image image;
  image.path_ = path;
  image.base_ = loader.base();
  image.size_ = loader.size();
  const ImageIndex& index = **parts;
  image.index_ = reinterpret_cast<std::uint64_t>(&index);
  const auto at = [&](std::int32_t offset) {
    return image.index_ + static_cast<std::uint64_t>(std::int64_t{offset});
  };
  image.stubs_ = at(index.stubs);
  image.main_ = index.main == 0 ? 0 : at(index.main);
  image.slots_ = {reinterpret_cast<std::uint64_t*>(at(index.slots)), index.functions};
  image.counters_ = {reinterpret_cast<std::int32_t*>(at(index.counters)), index.functions};
  image.bodies_ = {reinterpret_cast<const std::int32_t*>(at(index.bodies)), index.functions};
  image.addresses_ = {reinterpret_cast<const std::int32_t*>(at(index.addresses)), index.variables};
  image.initializers_ = loader.initializers();
  for (std::size_t i = 0; i < image.slots_.size(); ++i) {
    image.slots_[i] = image.bodies_[i] == 0 ? 0 : at(image.bodies_[i]);
  }
  return image;
}

std::vector<std::uint64_t> Image::VariableAddresses() const {
  std::vector<std::uint64_t> addresses;
  for (const std::int32_t offset : addresses_) {
    addresses.push_back(index_ + static_cast<std::uint64_t>(std::int64_t{offset}));
  }
  return addresses;
}

std::string Image::NameOf(std::uint64_t address) const {
  const auto file = MappedFile::Open(path_);
  if (!file) return {};
  return NameOfSymbol(file->bytes(), address - base_);
}

}  // namespace kelvin::engine

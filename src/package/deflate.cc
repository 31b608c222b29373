#include "package/deflate.h"

#include <memory>
#include <new>

#include <libdeflate.h>

namespace kelvin::package {
namespace {

// Smaller and faster than zip -6; docs/benchmarks.md has figures.
constexpr int kLevel = 7;

struct FreeCompressor {
  void operator()(libdeflate_compressor* compressor) const {
    libdeflate_free_compressor(compressor);
  }
};

template <typename Bound, typename Compress>
std::string Packed(std::string_view bytes, Bound bound, Compress compress) {
  const std::unique_ptr<libdeflate_compressor, FreeCompressor> compressor(
      libdeflate_alloc_compressor(kLevel));
  if (compressor == nullptr) throw std::bad_alloc();
  std::string packed(bound(compressor.get(), bytes.size()), '\0');
  packed.resize(
      compress(compressor.get(), bytes.data(), bytes.size(), packed.data(), packed.size()));
  return packed;
}

}  // namespace

std::string Deflate(std::string_view bytes) {
  return Packed(bytes, libdeflate_deflate_compress_bound, libdeflate_deflate_compress);
}

std::string Gzip(std::string_view bytes) {
  return Packed(bytes, libdeflate_gzip_compress_bound, libdeflate_gzip_compress);
}

}  // namespace kelvin::package

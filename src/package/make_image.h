#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "package/zip.h"

namespace kelvin::package {

struct ImageOptions {
  std::string tag = "function:latest";  // name:tag, under which it is loaded
  std::string architecture = "x86_64";  // or arm64
  std::string folder = "var/task";      // where the files go
  std::string entrypoint = "/var/task/bootstrap";
  std::string base = {};  // bytes of an image archive to build upon; empty: from scratch
};

// An image archive that skopeo, podman, buildah and docker load: an OCI layout in a tar, with
// docker's manifest.json beside it. Depends only on the entries and the options. The files are one
// layer of their own, above those of the base, whose bytes are kept. Fails with kInvalidArgument
// for a name or link that leads outside, a base that is no image or is for another architecture,
// and a malformed tag.
std::expected<std::string, Error> MakeImage(std::vector<PackEntry> entries,
                                            const ImageOptions& options);

}  // namespace kelvin::package

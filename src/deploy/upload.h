#pragma once

#include <expected>
#include <string>
#include <vector>

#include <boost/json.hpp>

#include "deploy/api.h"
#include "deploy/function_spec.h"

namespace kelvin::deploy {

// In bytes. Smaller in tests.
struct UploadSizes {
  std::size_t direct = 50'000'000;  // within the call: base64 and JSON around it stay below 70 MB
  std::size_t one_put = 100'000'000;
  std::size_t part = std::size_t{16} << 20;
};

// How zips come to Lambda.
struct UploadOptions {
  Place place = Place::kAws;
  std::string region;
  std::string bucket;  // empty: kelvin-deploy-ACCOUNT-REGION, which is made when it is needed
  UploadSizes sizes = {};
};

// What CreateFunction, UpdateFunctionCode and PublishLayerVersion take: the bytes themselves, or,
// beyond 50 MB on AWS, where they are in S3, after they were brought there. An object is named by
// its digest, so that what is there is not sent again; large ones go in parts, of which only those
// that are missing are sent after an interruption. `done` says what was done.
std::expected<boost::json::object, Error> CodeFor(Api& api, const UploadOptions& options,
                                                  const Package& package, const std::string& name,
                                                  std::vector<std::string>& done);

}  // namespace kelvin::deploy

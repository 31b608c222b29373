#include "aws/credential_chain.h"

#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "aws/metadata_credentials.h"
#include "aws/profile_credentials.h"

namespace kelvin::aws {
namespace {

// Long enough for a call that was signed just before to arrive.
constexpr std::chrono::minutes kRenewBefore{5};

std::unexpected<Error> Missing(std::string message) {
  return std::unexpected(Error{ErrorCode::kInvalidArgument, std::move(message)});
}

// Whether somebody named a profile, by whichever way.
bool IsProfileNamed(const CredentialSources& sources) {
  return !sources.profile.empty() || !Variable(sources, "AWS_PROFILE").empty() ||
         !Variable(sources, "AWS_DEFAULT_PROFILE").empty();
}

std::unexpected<Error> NoSuchProfile(const CredentialSources& sources, const ProfileFiles& files) {
  const std::vector<std::string> names = files.Names();
  return Missing(fmt::format(
      "expected profile {} in {} or {}, found {}; run 'aws configure --profile {}', or name one "
      "that exists",
      ProfileName(sources), files.config_path, files.credentials_path,
      names.empty() ? std::string("no profile there") : fmt::format("{}", fmt::join(names, ", ")),
      ProfileName(sources)));
}

// Where was looked, and what was missing there.
class Tried {
 public:
  void Add(std::string_view place, std::string_view lack) {
    places_.push_back(fmt::format("{}: {}", place, lack));
  }
  std::unexpected<Error> ToError() const {
    return Missing(
        fmt::format("expected AWS credentials, found none ({}); run 'aws configure', or "
                    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
                    fmt::join(places_, "; ")));
  }

 private:
  std::vector<std::string> places_;
};

}  // namespace

std::expected<FoundCredentials, Error> FindCredentials(const CredentialSources& sources) {
  Tried tried;
  if (sources.profile.empty()) {
    auto keys = CredentialsFromEnvironment(sources.environment);
    if (keys) return FoundCredentials{std::move(*keys)};
    // Half of a pair is a mistake to be told, not a reason to look elsewhere.
    if (!Variable(sources, "AWS_ACCESS_KEY_ID").empty() ||
        !Variable(sources, "AWS_SECRET_ACCESS_KEY").empty()) {
      return std::unexpected(std::move(keys.error()));
    }
    tried.Add("environment", "AWS_ACCESS_KEY_ID is not set");
  }
  const auto files = ReadProfileFiles(sources);
  if (!files) return std::unexpected(files.error());
  const std::string profile = ProfileName(sources);
  if (IsProfileNamed(sources) && !files->Has(profile)) return NoSuchProfile(sources, *files);
  const auto region = FindRegion(sources);
  for (const auto from : {&ProfileCredentials::OfRole, &ProfileCredentials::OfWebIdentity,
                          &ProfileCredentials::OfRest}) {
    ProfileCredentials of_profile(sources, *files, region.value_or("us-east-1"));
    auto found = (of_profile.*from)(profile);
    if (!found) return std::unexpected(std::move(found.error()));
    if (*found) return std::move(**found);
  }
  const std::string where = fmt::format("{} or {}", files->config_path, files->credentials_path);
  tried.Add("profile", files->Has(profile)
                           ? fmt::format("{} in {} has no keys, role, SSO or credential_process",
                                         profile, where)
                           : fmt::format("no profile {} in {}", profile, where));
  auto container = FromContainer(sources);
  if (!container) return std::unexpected(std::move(container.error()));
  if (*container) return std::move(**container);
  tried.Add("container", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and _FULL_URI are not set");
  auto instance = FromInstance(sources);
  if (instance) return instance;
  tried.Add("instance", instance.error().message);
  return tried.ToError();
}

std::expected<std::string, Error> FindRegion(const CredentialSources& sources) {
  if (!sources.region.empty()) return sources.region;
  auto given = RegionFromEnvironment(sources.environment);
  const bool set =
      !Variable(sources, "AWS_REGION").empty() || !Variable(sources, "AWS_DEFAULT_REGION").empty();
  if (given || set) return given;
  const auto files = ReadProfileFiles(sources);
  if (!files) return std::unexpected(files.error());
  const std::string profile = ProfileName(sources);
  if (IsProfileNamed(sources) && !files->Has(profile)) return NoSuchProfile(sources, *files);
  std::string region = files->Get(profile, "region");
  if (!region.empty()) return region;
  return Missing(
      fmt::format("expected a region, found none in the environment or in profile {}: "
                  "give one with --region, or set AWS_REGION",
                  profile));
}

std::expected<Credentials, Error> CredentialChain::Get() {
  const Clock::WallTime now = sources_.clock.WallNow();
  const bool fresh = found_ && (!found_->expires || *found_->expires - now > kRenewBefore);
  if (fresh) return found_->keys;
  auto found = FindCredentials(sources_);
  if (found) {
    found_ = std::move(*found);
    return found_->keys;
  }
  if (found_ && *found_->expires > now) return found_->keys;
  if (found_) {
    found.error().message = fmt::format(
        "the credentials have expired, and new ones cannot be had: {}", found.error().message);
  }
  return std::unexpected(std::move(found.error()));
}

}  // namespace kelvin::aws

#include "aws/profile_credentials.h"

#include <algorithm>
#include <charconv>
#include <set>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "aws/metadata_credentials.h"
#include "aws/sso.h"
#include "aws/sts.h"

namespace kelvin::aws {
namespace {

namespace json = boost::json;

using Result = ProfileCredentials::Result;

std::unexpected<Error> Invalid(std::string message) {
  return std::unexpected(Error{ErrorCode::kInvalidArgument, std::move(message)});
}

std::string ValueOf(const Sections& sections, const std::string& profile, const std::string& key) {
  const auto section = sections.find(profile);
  if (section == sections.end()) return {};
  const auto found = section->second.find(key);
  return found == section->second.end() ? std::string() : found->second;
}

std::string AwsFile(const CredentialSources& sources, std::string_view variable,
                    std::string_view name) {
  std::string given = Variable(sources, variable);
  const std::string home = Variable(sources, "HOME");
  if (given.empty()) given = std::string("~/.aws/").append(name);
  return given.starts_with("~/") ? home + given.substr(1) : given;
}

std::expected<ProfileFileContent, Error> ReadOne(const CredentialSources& sources,
                                                 const std::string& path, ProfileFile kind) {
  auto text = sources.read_file(path);
  if (text) return ParseProfiles(*text, kind);
  if (text.error().code == ErrorCode::kNotFound) return ProfileFileContent();
  return std::unexpected(std::move(text.error()));
}

Result Wrapped(std::expected<FoundCredentials, Error> found) {
  if (!found) return std::unexpected(std::move(found.error()));
  return std::move(*found);
}

}  // namespace

bool ProfileFiles::Has(const std::string& profile) const {
  return config.profiles.contains(profile) || credentials.profiles.contains(profile);
}

std::string ProfileFiles::Get(const std::string& profile, const std::string& key) const {
  std::string value = ValueOf(credentials.profiles, profile, key);
  return value.empty() ? ValueOf(config.profiles, profile, key) : value;
}

std::vector<std::string> ProfileFiles::Names() const {
  std::set<std::string> names;
  for (const auto& [name, settings] : config.profiles) names.insert(name);
  for (const auto& [name, settings] : credentials.profiles) names.insert(name);
  return {names.begin(), names.end()};
}

std::string ProfileName(const CredentialSources& sources) {
  if (!sources.profile.empty()) return sources.profile;
  for (const char* variable : {"AWS_PROFILE", "AWS_DEFAULT_PROFILE"}) {
    std::string named = Variable(sources, variable);
    if (!named.empty()) return named;
  }
  return "default";
}

std::expected<ProfileFiles, Error> ReadProfileFiles(const CredentialSources& sources) {
  ProfileFiles files;
  files.config_path = AwsFile(sources, "AWS_CONFIG_FILE", "config");
  files.credentials_path = AwsFile(sources, "AWS_SHARED_CREDENTIALS_FILE", "credentials");
  auto config = ReadOne(sources, files.config_path, ProfileFile::kConfig);
  if (!config) return std::unexpected(std::move(config.error()));
  auto credentials = ReadOne(sources, files.credentials_path, ProfileFile::kCredentials);
  if (!credentials) return std::unexpected(std::move(credentials.error()));
  files.config = std::move(*config);
  files.credentials = std::move(*credentials);
  return files;
}

bool ProfileCredentials::HasRole(const std::string& profile) const {
  return !files_.Get(profile, "role_arn").empty() &&
         files_.Get(profile, "web_identity_token_file").empty();
}

bool ProfileCredentials::HasKeys(const std::string& profile) const {
  return !files_.Get(profile, "aws_access_key_id").empty() ||
         !files_.Get(profile, "aws_secret_access_key").empty();
}

std::string ProfileCredentials::SessionName(const std::string& given) const {
  if (!given.empty()) return given;
  const auto now =
      std::chrono::duration_cast<std::chrono::seconds>(sources_.clock.WallNow().time_since_epoch());
  return fmt::format("kelvin-{}", now.count());
}

Result ProfileCredentials::OfRole(const std::string& profile) {
  if (!HasRole(profile)) return std::nullopt;
  visited_.push_back(profile);
  AssumeRole role{.role_arn = files_.Get(profile, "role_arn"),
                  .session_name = SessionName(files_.Get(profile, "role_session_name")),
                  .external_id = files_.Get(profile, "external_id"),
                  .mfa_serial = files_.Get(profile, "mfa_serial")};
  const std::string duration = files_.Get(profile, "duration_seconds");
  if (!duration.empty()) {
    int seconds = 0;
    const auto end = duration.data() + duration.size();
    const auto parsed = std::from_chars(duration.data(), end, seconds);
    if (parsed.ec != std::errc{} || parsed.ptr != end || seconds < 900 || seconds > 43200) {
      return Invalid(
          fmt::format("expected duration_seconds of profile {} to be from 900 to 43200, got '{}'",
                      profile, duration));
    }
    role.duration_seconds = seconds;
  }
  const auto with = SourceOf(profile);
  if (!with) return std::unexpected(with.error());
  if (!role.mfa_serial.empty()) {
    if (!sources_.ask_code) {
      return Invalid(fmt::format(
          "profile {} needs a code of MFA device {}, and there is nobody to ask: run it on a "
          "terminal, or put keys into the environment with 'eval \"$(aws configure "
          "export-credentials --profile {} --format env)\"'",
          profile, role.mfa_serial, profile));
    }
    auto code = sources_.ask_code(role.mfa_serial);
    if (!code) return std::unexpected(std::move(code.error()));
    role.mfa_code = std::move(*code);
  }
  auto taken = TakeRole(sources_, region_, with->keys, role);
  if (!taken) {
    taken.error().message = fmt::format("cannot take role {} of profile {}: {}", role.role_arn,
                                        profile, taken.error().message);
  }
  return Wrapped(std::move(taken));
}

std::expected<FoundCredentials, Error> ProfileCredentials::SourceOf(const std::string& profile) {
  const bool by_profile = !files_.Get(profile, "source_profile").empty();
  const bool by_name = !files_.Get(profile, "credential_source").empty();
  if (by_profile == by_name) {
    return Invalid(
        fmt::format("expected one of source_profile and credential_source beside role_arn in "
                    "profile {} of {}, found {}",
                    profile, files_.config_path, by_name ? "both" : "neither"));
  }
  return by_profile ? FromSourceProfile(profile) : FromNamedSource(profile);
}

std::expected<FoundCredentials, Error> ProfileCredentials::FromNamedSource(
    const std::string& profile) {
  const std::string source = files_.Get(profile, "credential_source");
  const auto in = [&](Error error) {
    error.message =
        fmt::format("credential_source {} of profile {}: {}", source, profile, error.message);
    return std::unexpected(std::move(error));
  };
  if (source == "Environment") {
    auto keys = CredentialsFromEnvironment(sources_.environment);
    if (!keys) return in(std::move(keys.error()));
    return FoundCredentials{std::move(*keys)};
  }
  if (source == "Ec2InstanceMetadata") {
    auto found = FromInstance(sources_);
    return found ? std::move(found) : in(std::move(found.error()));
  }
  if (source == "EcsContainer") {
    auto found = FromContainer(sources_);
    if (!found) return in(std::move(found.error()));
    if (*found) return std::move(**found);
    return in({ErrorCode::kInvalidArgument,
               "neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor "
               "AWS_CONTAINER_CREDENTIALS_FULL_URI is set, so this is no container of AWS's"});
  }
  return in(
      {ErrorCode::kInvalidArgument, "expected Environment, Ec2InstanceMetadata or EcsContainer"});
}

std::expected<FoundCredentials, Error> ProfileCredentials::FromSourceProfile(
    const std::string& profile) {
  const std::string source = files_.Get(profile, "source_profile");
  if (!files_.Has(source)) {
    return Invalid(fmt::format(
        "expected the source_profile {} of profile {} in {} or {}, found: {}", source, profile,
        files_.config_path, files_.credentials_path, fmt::join(files_.Names(), ", ")));
  }
  const bool seen = std::ranges::find(visited_, source) != visited_.end();
  if (seen && !(source == profile && HasKeys(source))) {
    return Invalid(
        fmt::format("expected source_profile to lead to a profile with keys, it goes in "
                    "a circle: {} -> {}",
                    fmt::join(visited_, " -> "), source));
  }
  if (!HasKeys(source) && HasRole(source)) {
    auto found = OfRole(source);
    if (!found) return std::unexpected(std::move(found.error()));
    return std::move(**found);
  }
  for (const auto from : {&ProfileCredentials::OfWebIdentity, &ProfileCredentials::OfRest}) {
    auto found = (this->*from)(source);
    if (!found) return std::unexpected(std::move(found.error()));
    if (*found) return std::move(**found);
  }
  return Invalid(fmt::format("expected keys in profile {}, the source_profile of {}, found none",
                             source, profile));
}

Result ProfileCredentials::OfWebIdentity(const std::string& profile) {
  // A profile that was named, or is another's source, speaks for itself.
  const bool environment = sources_.profile.empty() && visited_.empty();
  const auto setting = [&](std::string_view variable, const std::string& key) {
    std::string value = environment ? Variable(sources_, variable) : std::string();
    return value.empty() ? files_.Get(profile, key) : value;
  };
  const std::string file = setting("AWS_WEB_IDENTITY_TOKEN_FILE", "web_identity_token_file");
  if (file.empty()) return std::nullopt;
  const AssumeRole role{
      .role_arn = setting("AWS_ROLE_ARN", "role_arn"),
      .session_name = SessionName(setting("AWS_ROLE_SESSION_NAME", "role_session_name"))};
  if (role.role_arn.empty()) {
    return Invalid(fmt::format(
        "expected AWS_ROLE_ARN, or role_arn in profile {}, beside the web identity's token in {}",
        profile, file));
  }
  auto token = sources_.read_file(file);
  if (!token) {
    token.error().message = fmt::format("the web identity's token: {}", token.error().message);
    return std::unexpected(std::move(token.error()));
  }
  while (token->ends_with('\n') || token->ends_with('\r')) token->pop_back();
  auto taken = TakeRoleWithToken(sources_, region_, *token, role);
  if (!taken) {
    taken.error().message = fmt::format("cannot take role {} with the token in {}: {}",
                                        role.role_arn, file, taken.error().message);
  }
  return Wrapped(std::move(taken));
}

Result ProfileCredentials::OfRest(const std::string& profile) {
  auto found = OfSso(profile);
  if (!found || *found) return found;
  found = OfKeys(profile, files_.credentials.profiles, files_.credentials_path);
  if (!found || *found) return found;
  found = OfProcess(profile);
  if (!found || *found) return found;
  return OfKeys(profile, files_.config.profiles, files_.config_path);
}

Result ProfileCredentials::OfSso(const std::string& profile) {
  SsoSettings settings{.profile = profile,
                       .session = files_.Get(profile, "sso_session"),
                       .start_url = files_.Get(profile, "sso_start_url"),
                       .region = files_.Get(profile, "sso_region"),
                       .account_id = files_.Get(profile, "sso_account_id"),
                       .role_name = files_.Get(profile, "sso_role_name")};
  // Without account and role the session is for other services than Lambda.
  if (settings.account_id.empty() && settings.role_name.empty() && settings.start_url.empty()) {
    return std::nullopt;
  }
  if (!settings.session.empty()) {
    const Sections& sessions = files_.config.sso_sessions;
    if (!sessions.contains(settings.session)) {
      return Invalid(fmt::format("expected [sso-session {}] in {}, which profile {} names",
                                 settings.session, files_.config_path, profile));
    }
    settings.start_url = ValueOf(sessions, settings.session, "sso_start_url");
    settings.region = ValueOf(sessions, settings.session, "sso_region");
  }
  const std::pair<const char*, const std::string*> required[] = {
      {"sso_start_url", &settings.start_url},
      {"sso_region", &settings.region},
      {"sso_account_id", &settings.account_id},
      {"sso_role_name", &settings.role_name}};
  std::vector<std::string> missing;
  for (const auto& [key, value] : required) {
    if (value->empty()) missing.emplace_back(key);
  }
  if (!missing.empty()) {
    return Invalid(
        fmt::format("expected {} for profile {}, which is to log in by SSO: run 'aws "
                    "configure sso --profile {}'",
                    fmt::join(missing, ", "), profile, profile));
  }
  return Wrapped(FromSso(sources_, settings));
}

Result ProfileCredentials::OfKeys(const std::string& profile, const Sections& file,
                                  const std::string& path) {
  Credentials keys{ValueOf(file, profile, "aws_access_key_id"),
                   ValueOf(file, profile, "aws_secret_access_key"),
                   ValueOf(file, profile, "aws_session_token")};
  if (keys.session_token.empty()) {
    keys.session_token = ValueOf(file, profile, "aws_security_token");
  }
  if (keys.access_key_id.empty() && keys.secret_access_key.empty()) return std::nullopt;
  if (keys.access_key_id.empty() || keys.secret_access_key.empty()) {
    return Invalid(fmt::format(
        "expected aws_access_key_id and aws_secret_access_key in profile {} of {}, found only {}",
        profile, path, keys.access_key_id.empty() ? "aws_secret_access_key" : "aws_access_key_id"));
  }
  return FoundCredentials{std::move(keys)};
}

Result ProfileCredentials::OfProcess(const std::string& profile) {
  const std::string command = files_.Get(profile, "credential_process");
  if (command.empty()) return std::nullopt;
  const std::string from = fmt::format("credential_process of profile {} ({})", profile, command);
  if (!sources_.run) return Invalid(from + " cannot be run here");
  const auto output = sources_.run(command);
  if (!output) {
    return std::unexpected(
        Error{output.error().code, fmt::format("{}: {}", from, output.error().message)});
  }
  boost::system::error_code error;
  const json::value document = json::parse(*output, error);
  const json::object* object = error ? nullptr : document.if_object();
  const json::value* version = object == nullptr ? nullptr : object->if_contains("Version");
  if (version == nullptr || *version != 1) {
    return Invalid(fmt::format("expected JSON with \"Version\": 1 from {}, got {}", from,
                               version == nullptr ? "something else" : json::serialize(*version)));
  }
  auto found = ParseKeys(*output, "SessionToken", from);
  if (found && found->expires && *found->expires <= sources_.clock.WallNow()) {
    return std::unexpected(
        Error{ErrorCode::kPermissionDenied, fmt::format("{} gave keys that have expired", from)});
  }
  return Wrapped(std::move(found));
}

}  // namespace kelvin::aws

#include "aws/credential_chain.h"

#include <map>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "aws/endpoint.h"
#include "aws/profiles.h"
#include "http/client.h"

namespace kelvin::aws {
namespace {

namespace json = boost::json;

constexpr std::chrono::seconds kMetadataTimeout{1};
constexpr std::string_view kContainerHost = "http://169.254.170.2";
constexpr std::string_view kInstanceHost = "http://169.254.169.254";

using Settings = std::map<std::string, std::string>;

std::string Variable(const CredentialSources& sources, std::string_view name) {
  return sources.environment(name).value_or("");
}

std::string ProfileName(const CredentialSources& sources) {
  if (!sources.profile.empty()) return sources.profile;
  const std::string named = Variable(sources, "AWS_PROFILE");
  return named.empty() ? "default" : named;
}

// Whether somebody named a profile, by whichever way.
bool IsProfileNamed(const CredentialSources& sources) {
  return !sources.profile.empty() || !Variable(sources, "AWS_PROFILE").empty();
}

std::filesystem::path AwsFile(const CredentialSources& sources, std::string_view variable,
                              std::string_view name) {
  const std::string given = Variable(sources, variable);
  if (!given.empty()) return given;
  return std::filesystem::path(Variable(sources, "HOME")) / ".aws" / name;
}

// The profile's settings from both files; those of the credentials file win, as in the CLI.
struct Found {
  Settings settings;
  bool exists = false;
};
Found ReadProfile(const CredentialSources& sources) {
  Found found;
  const std::string name = ProfileName(sources);
  const auto add = [&](const std::filesystem::path& path, ProfileFile kind) {
    const auto text = sources.read_file(path);
    if (!text) return;
    Profiles profiles = ParseProfiles(*text, kind);
    const auto profile = profiles.find(name);
    if (profile == profiles.end()) return;
    found.exists = true;
    for (auto& [key, value] : profile->second) found.settings[key] = value;
  };
  add(AwsFile(sources, "AWS_CONFIG_FILE", "config"), ProfileFile::kConfig);
  add(AwsFile(sources, "AWS_SHARED_CREDENTIALS_FILE", "credentials"), ProfileFile::kCredentials);
  return found;
}

std::string ValueOf(const Settings& settings, const std::string& key) {
  const auto found = settings.find(key);
  return found == settings.end() ? std::string() : found->second;
}

std::unexpected<Error> Missing(std::string message) {
  return std::unexpected(Error{ErrorCode::kInvalidArgument, std::move(message)});
}

std::expected<Credentials, Error> FromProfile(const CredentialSources& sources) {
  const Found found = ReadProfile(sources);
  const std::string name = ProfileName(sources);
  if (!found.exists) return Missing(fmt::format("no profile {} in ~/.aws", name));
  Credentials credentials{ValueOf(found.settings, "aws_access_key_id"),
                          ValueOf(found.settings, "aws_secret_access_key"),
                          ValueOf(found.settings, "aws_session_token")};
  if (!credentials.access_key_id.empty() && !credentials.secret_access_key.empty()) {
    return credentials;
  }
  for (const char* other : {"sso_session", "sso_start_url", "role_arn", "credential_process"}) {
    if (ValueOf(found.settings, other).empty()) continue;
    return Missing(
        fmt::format("profile {} gets its keys by {}, which is not read here: put them into the "
                    "environment with 'eval \"$(aws configure export-credentials --profile {} "
                    "--format env)\"'",
                    name, other, name));
  }
  return Missing(
      fmt::format("profile {} has no aws_access_key_id and aws_secret_access_key", name));
}

// A service that answers with JSON on a plain address.
class MetadataService {
 public:
  static std::expected<MetadataService, Error> At(const CredentialSources& sources,
                                                  std::string_view url) {
    auto endpoint = ParseEndpointUrl(url);
    if (!endpoint) return std::unexpected(endpoint.error());
    return MetadataService(sources, std::move(*endpoint));
  }

  std::expected<std::string, Error> Ask(std::string_view method, const std::string& path,
                                        http::Headers headers) {
    http::Request request;
    request.method = method;
    request.target = endpoint_.base_path + path;
    request.headers = std::move(headers);
    http::Client client(sources_.metadata, endpoint_.address);
    auto answer = client.Send(request, sources_.clock.Now() + kMetadataTimeout);
    if (!answer) return std::unexpected(std::move(answer.error()));
    if (answer->status != 200) {
      return Missing(fmt::format("{} answered {}", endpoint_.HostHeader(), answer->status));
    }
    return std::move(answer->body);
  }

 private:
  MetadataService(const CredentialSources& sources, ServiceEndpoint endpoint)
      : sources_(sources), endpoint_(std::move(endpoint)) {}

  const CredentialSources& sources_;
  ServiceEndpoint endpoint_;
};

std::expected<Credentials, Error> ParseCredentials(const std::string& text) {
  boost::system::error_code error;
  const json::value document = json::parse(text, error);
  const json::object* object = error ? nullptr : document.if_object();
  const auto read = [&](std::string_view key) {
    const json::value* value = object == nullptr ? nullptr : object->if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->get_string())
                                                  : std::string();
  };
  Credentials credentials{read("AccessKeyId"), read("SecretAccessKey"), read("Token")};
  if (credentials.access_key_id.empty() || credentials.secret_access_key.empty()) {
    return Missing("the answer has no AccessKeyId and SecretAccessKey");
  }
  return credentials;
}

std::expected<Credentials, Error> FromContainer(const CredentialSources& sources) {
  const std::string relative = Variable(sources, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  const std::string full = Variable(sources, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
  if (relative.empty() && full.empty()) return Missing("not in a container of AWS's");
  std::string token = Variable(sources, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
  if (const std::string file = Variable(sources, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
      !file.empty()) {
    const auto text = sources.read_file(file);
    if (!text) return std::unexpected(text.error());
    token = text->substr(0, text->find_first_of("\r\n"));
  }
  const std::string url = relative.empty() ? full : std::string(kContainerHost) + relative;
  if (!url.starts_with("http://")) {
    return Missing(fmt::format("the container's service is at {}, expected http", url));
  }
  const std::size_t path = url.find('/', std::string_view("http://").size());
  auto service = MetadataService::At(sources, std::string_view(url).substr(0, path));
  if (!service) return std::unexpected(std::move(service.error()));
  http::Headers headers;
  if (!token.empty()) headers.Add("Authorization", token);
  auto text =
      service->Ask("GET", path == std::string::npos ? "/" : url.substr(path), std::move(headers));
  if (!text) return std::unexpected(std::move(text.error()));
  return ParseCredentials(*text);
}

std::expected<Credentials, Error> FromInstance(const CredentialSources& sources) {
  if (Variable(sources, "AWS_EC2_METADATA_DISABLED") == "true") return Missing("switched off");
  std::string url = Variable(sources, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
  if (url.empty()) url = kInstanceHost;
  auto service = MetadataService::At(sources, url);
  if (!service) return std::unexpected(std::move(service.error()));
  const auto token =
      service->Ask("PUT", "/latest/api/token", {{"X-aws-ec2-metadata-token-ttl-seconds", "21600"}});
  if (!token) return std::unexpected(token.error());
  const http::Headers headers{{"X-aws-ec2-metadata-token", *token}};
  const std::string base = "/latest/meta-data/iam/security-credentials/";
  const auto role = service->Ask("GET", base, headers);
  if (!role) return std::unexpected(role.error());
  const auto text = service->Ask("GET", base + role->substr(0, role->find('\n')), headers);
  if (!text) return std::unexpected(text.error());
  return ParseCredentials(*text);
}

}  // namespace

std::expected<Credentials, Error> FindCredentials(const CredentialSources& sources) {
  std::vector<std::string> tried;
  const auto lacks = [&](std::string_view place, const Error& error) {
    tried.push_back(fmt::format("{}: {}", place, error.message));
  };
  if (sources.profile.empty()) {
    auto found = CredentialsFromEnvironment(sources.environment);
    if (found) return found;
    // Half of a pair is a mistake to be told, not a reason to look elsewhere.
    if (!Variable(sources, "AWS_ACCESS_KEY_ID").empty()) return found;
    tried.emplace_back("environment: AWS_ACCESS_KEY_ID is not set");
  }
  auto found = FromProfile(sources);
  if (found) return found;
  lacks("profile", found.error());
  // Whoever names a profile wants that one.
  if (!IsProfileNamed(sources)) {
    found = FromContainer(sources);
    if (found) return found;
    lacks("container", found.error());
    found = FromInstance(sources);
    if (found) return found;
    lacks("instance", found.error());
  }
  return Missing(
      fmt::format("expected AWS credentials, found none ({}); run 'aws configure', or "
                  "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
                  fmt::join(tried, "; ")));
}

std::expected<std::string, Error> FindRegion(const CredentialSources& sources) {
  if (sources.profile.empty()) {
    auto region = RegionFromEnvironment(sources.environment);
    if (region || !Variable(sources, "AWS_REGION").empty()) return region;
  }
  const std::string region = ValueOf(ReadProfile(sources).settings, "region");
  if (!region.empty()) return region;
  return Missing(
      fmt::format("expected a region, found none in the environment or in profile {}: "
                  "give one with --region, or set AWS_REGION",
                  ProfileName(sources)));
}

}  // namespace kelvin::aws

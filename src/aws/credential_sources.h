#pragma once

#include <expected>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "aws/credentials.h"
#include "aws/endpoint.h"
#include "aws/environment.h"
#include "base/clock.h"
#include "base/error.h"
#include "http/message.h"
#include "http/stream.h"

namespace kelvin::aws {

// Where the tools look for credentials and a region: what a person at a terminal has, and what a
// container or an instance gives. (A function has its own in the environment: see credentials.h.)
struct CredentialSources {
  EnvironmentLookup environment;
  std::string profile = {};  // asked for by name; empty: AWS_PROFILE, else "default"
  std::string region = {};   // asked for by name; empty: that of environment or profile
  std::function<std::expected<std::string, Error>(const std::filesystem::path&)> read_file;
  // Runs a credential_process, a line for the shell, and gives what it wrote to standard output.
  std::function<std::expected<std::string, Error>(const std::string& command)> run = {};
  // Asks a person for the code that the MFA device of that serial number shows now; empty where
  // there is nobody to ask.
  std::function<std::expected<std::string, Error>(const std::string& serial)> ask_code = {};
  // The network without TLS and with it. They outlive whatever uses the sources.
  http::Connector& plain;
  http::Connector& secure;
  const Clock& clock;
};

// Credentials, and until when they hold; no end for those that a person put somewhere.
struct FoundCredentials {
  Credentials keys;
  std::optional<Clock::WallTime> expires = {};
};

// The variable's value, or nothing when it is not set.
std::string Variable(const CredentialSources& sources, std::string_view name);

// One request without a signature, sent again after a failure of the network or of the service
// until `attempts` are used up; each has `timeout`. Any other answer is a success here.
struct Ask {
  http::Request request;
  std::chrono::milliseconds timeout{10'000};
  int attempts = 1;
};
std::expected<http::Response, Error> SendAsk(const CredentialSources& sources,
                                             const ServiceEndpoint& endpoint, const Ask& ask);

// "2026-08-22T10:15:30Z", with or without fractions, or with "UTC" or "+00:00" for the Z.
std::optional<Clock::WallTime> ParseExpiration(std::string_view text);

// The keys in the JSON that metadata services and credential processes answer with. `token_key` is
// how they call the session token. Fails with kCorrupt, saying what it lacks; `from` names them.
std::expected<FoundCredentials, Error> ParseKeys(std::string_view text, std::string_view token_key,
                                                 std::string_view from);

}  // namespace kelvin::aws

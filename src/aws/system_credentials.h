#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>

#include "aws/credential_chain.h"
#include "aws/credential_provider.h"

namespace kelvin::aws {

struct SystemCredentialOptions {
  EnvironmentLookup environment;
  std::string profile = {};  // asked for by name
  std::string region = {};   // asked for by name
  // As in CredentialSources.
  std::function<std::expected<std::string, Error>(const std::string& serial)> ask_code = {};
};

// The chain on this machine: real files, processes and network. The clock outlives it.
class SystemCredentials final : public CredentialProvider {
 public:
  SystemCredentials(SystemCredentialOptions options, const Clock& clock);
  ~SystemCredentials() override;

  std::expected<Credentials, Error> Get() override { return chain_.Get(); }
  std::expected<std::string, Error> Region() const { return FindRegion(sources_); }

 private:
  std::unique_ptr<http::Connector> plain_;
  std::unique_ptr<http::Connector> secure_;
  CredentialSources sources_;
  CredentialChain chain_;
};

// What a line for the shell writes to standard output; its standard error is ours. Fails with
// kInvalidArgument when it cannot be run or ends with another status than 0, kTimeout after
// `timeout`, when it is ended, kResourceExhausted beyond 1 MB.
std::expected<std::string, Error> RunCommand(const std::string& command,
                                             std::chrono::milliseconds timeout);

}  // namespace kelvin::aws

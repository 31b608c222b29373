#pragma once

#include <expected>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <boost/json.hpp>

#include "deploy/api.h"

namespace kelvin::deploy {

// A function or one of its versions as Lambda has it.
struct RemoteConfiguration {
  std::string arn;
  std::string version;
  std::string runtime;
  std::string handler;
  std::string role;
  std::string architecture = "x86_64";
  std::string code_sha256;
  std::string revision;
  std::string state;
  std::string update_status;
  std::string reason;
  int memory_mb = 0;
  int timeout_seconds = 0;
  std::map<std::string, std::string> environment;
  std::vector<std::string> layers;
  std::map<std::string, std::string> tags;  // of GetFunction
};

struct RemoteAlias {
  std::string arn;
  std::string version;
  std::string description;
  std::string revision;
  std::map<std::string, double> weights;  // of further versions
};

// The calls of Lambda that deploying needs, over the seam. What does not exist is std::nullopt
// where it says so, otherwise kNotFound. kCorrupt for an answer that is not Lambda's.
class Lambda {
 public:
  explicit Lambda(Api& api) : api_(api) {}  // the api outlives it

  std::expected<std::optional<RemoteConfiguration>, Error> Get(const std::string& name);
  // Of $LATEST without a qualifier, else of a version or an alias.
  std::expected<std::optional<RemoteConfiguration>, Error> Configuration(
      const std::string& name, const std::string& qualifier = {});
  std::expected<std::optional<RemoteAlias>, Error> Alias(const std::string& name,
                                                         const std::string& alias);
  std::expected<std::optional<std::string>, Error> UrlAuth(const std::string& name,
                                                           const std::string& qualifier,
                                                           std::string* url = nullptr);
  // Numbers of the published versions, oldest first.
  std::expected<std::vector<std::string>, Error> Versions(const std::string& name);

  std::expected<RemoteConfiguration, Error> Create(const boost::json::object& body);
  std::expected<RemoteConfiguration, Error> UpdateCode(const std::string& name,
                                                       const boost::json::object& body);
  std::expected<RemoteConfiguration, Error> UpdateConfiguration(const std::string& name,
                                                                const boost::json::object& body);
  std::expected<RemoteConfiguration, Error> Publish(const std::string& name,
                                                    const boost::json::object& body);
  std::expected<RemoteAlias, Error> CreateAlias(const std::string& name,
                                                const boost::json::object& body);
  std::expected<RemoteAlias, Error> UpdateAlias(const std::string& name, const std::string& alias,
                                                const boost::json::object& body);
  std::expected<void, Error> Tag(const std::string& arn,
                                 const std::map<std::string, std::string>& tags);
  std::expected<void, Error> CreateUrl(const std::string& name, const std::string& qualifier,
                                       const std::string& auth);
  std::expected<void, Error> UpdateUrl(const std::string& name, const std::string& qualifier,
                                       const std::string& auth);
  // Ids of the statements in the resource policy.
  std::expected<std::set<std::string>, Error> PolicyStatements(const std::string& name,
                                                               const std::string& qualifier);
  std::expected<void, Error> AddPermission(const std::string& name, const std::string& qualifier,
                                           const boost::json::object& body);
  std::expected<void, Error> RemovePermission(const std::string& name, const std::string& qualifier,
                                              const std::string& statement);
  // ARN of the newest version of a layer that is described so; empty without one.
  std::expected<std::string, Error> LayerVersion(const std::string& layer,
                                                 const std::string& description);
  // ARN of the new version.
  std::expected<std::string, Error> PublishLayer(const std::string& layer,
                                                 const boost::json::object& body);
  std::expected<void, Error> DeleteAlias(const std::string& name, const std::string& alias);
  std::expected<void, Error> DeleteUrl(const std::string& name, const std::string& qualifier);
  std::expected<void, Error> Delete(const std::string& name);

 private:
  std::expected<std::string, Error> Call(std::string_view action, std::string_view method,
                                         std::string target,
                                         const boost::json::object* body = nullptr);
  Api& api_;
};

}  // namespace kelvin::deploy

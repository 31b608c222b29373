#pragma once

#include <map>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "deploy/api.h"

namespace kelvin::deploy {

// For tests: Lambda's control plane (one function), IAM and logs in memory. Fails the Nth call, or
// every call of an action, and notes what was called.
class FakeAws final : public Api {
 public:
  std::vector<std::string> calls;  // actions, reads too
  int fail_call = 0;               // from 1; 0: none
  std::map<std::string, Error> fail_action;
  bool exists = false;
  boost::json::object configuration;  // of $LATEST
  std::map<std::string, boost::json::object> versions;
  std::map<std::string, boost::json::object> aliases;
  std::map<std::string, std::string> tags;
  std::string url_auth;
  bool role = false;

  std::vector<std::string> Writes() const {
    std::vector<std::string> writes;
    for (const std::string& call : calls) {
      if (!call.contains(":Get") && !call.contains(":List")) writes.push_back(call);
    }
    return writes;
  }
  // Somebody else changes the function.
  void Touch() { configuration["RevisionId"] = NewRevision(); }
  std::string NewRevision() { return fmt::format("r{}", ++revisions_); }

  std::expected<std::string, Error> Send(const ApiCall& call) override {
    calls.push_back(call.action);
    if (static_cast<int>(calls.size()) == fail_call) {
      return std::unexpected(Error{ErrorCode::kUnavailable, "the network is gone"});
    }
    if (const auto fails = fail_action.find(call.action); fails != fail_action.end()) {
      return std::unexpected(fails->second);
    }
    namespace json = boost::json;
    json::object body;
    if (call.body.starts_with('{')) body = json::parse(call.body).as_object();
    const std::string action = call.action.substr(call.action.find(':') + 1);
    if (call.service == "iam") return Iam(action);
    if (call.service != "lambda") return "{}";
    if (action == "CreateFunction") {
      if (exists) return Refuse(ErrorCode::kAlreadyExists, "ResourceConflictException");
      exists = true;
      Set(body);
      if (const json::value* given = body.if_contains("Tags")) Take(given->as_object());
      return json::serialize(configuration);
    }
    if (!exists) return Refuse(ErrorCode::kNotFound, "ResourceNotFoundException");
    return OfFunction(action, call, body);
  }

 private:
  using Answer = std::expected<std::string, Error>;
  static Answer Refuse(ErrorCode code, std::string type) {
    return std::unexpected(Error{code, "Lambda says " + type, type});
  }

  Answer Iam(const std::string& action) {
    if (action == "CreateRole" && role) {
      return Refuse(ErrorCode::kAlreadyExists, "EntityAlreadyExistsException");
    }
    if (action.starts_with("Delete") && !role) return Refuse(ErrorCode::kNotFound, "NoSuchEntity");
    role = !action.starts_with("DeleteRole") || action == "DeleteRolePolicy";
    return "<Role><Arn>arn:aws:iam::1:role/kelvin-f</Arn></Role>";
  }

  void Set(const boost::json::object& body) {
    for (const char* key :
         {"Runtime", "Handler", "Role", "MemorySize", "Timeout", "Architectures", "Environment"}) {
      if (const auto* value = body.if_contains(key)) configuration[key] = *value;
    }
    const boost::json::object* code = &body;
    if (const auto* inner = body.if_contains("Code")) code = inner->if_object();
    // The fake's digest is the code itself.
    if (const auto* zip = code->if_contains("ZipFile")) configuration["CodeSha256"] = *zip;
    configuration["FunctionArn"] = "arn:aws:lambda:us-east-1:1:function:f";
    configuration["Version"] = "$LATEST";
    configuration["State"] = "Active";
    configuration["LastUpdateStatus"] = "Successful";
    Touch();
  }
  void Take(const boost::json::object& given) {
    for (const auto& [key, value] : given) tags[std::string(key)] = std::string(value.as_string());
  }

  Answer OfFunction(const std::string& action, const ApiCall& call, boost::json::object& body) {
    namespace json = boost::json;
    const std::size_t slash = call.target.rfind('/');
    const std::string last = call.target.substr(slash + 1);
    if (action == "GetFunction") {
      json::object all{{"Configuration", configuration}};
      json::object of;
      for (const auto& [key, value] : tags) of[key] = value;
      all["Tags"] = std::move(of);
      return json::serialize(all);
    }
    if (action == "GetFunctionConfiguration") {
      const std::size_t at = call.target.find("?Qualifier=");
      if (at == std::string::npos) return json::serialize(configuration);
      const std::string qualifier = call.target.substr(at + 11);
      if (const auto version = versions.find(qualifier); version != versions.end()) {
        return json::serialize(version->second);
      }
      const auto alias = aliases.find(qualifier);
      if (alias == aliases.end()) return Refuse(ErrorCode::kNotFound, "ResourceNotFoundException");
      return json::serialize(
          versions[std::string(alias->second.at("FunctionVersion").as_string())]);
    }
    if (action == "UpdateFunctionCode" || action == "UpdateFunctionConfiguration") {
      const auto* revision = body.if_contains("RevisionId");
      if (revision != nullptr && *revision != configuration["RevisionId"]) {
        return Refuse(ErrorCode::kInvalidArgument, "PreconditionFailedException");
      }
      Set(body);
      return json::serialize(configuration);
    }
    if (action == "PublishVersion") {
      // Lambda publishes nothing new when nothing has changed since the last version.
      const std::string last_number = std::to_string(versions.size());
      if (published_revision_ == configuration["RevisionId"]) {
        return json::serialize(versions[last_number]);
      }
      published_revision_ = configuration["RevisionId"];
      const std::string number = std::to_string(versions.size() + 1);
      versions[number] = configuration;
      versions[number]["Version"] = number;
      return json::serialize(versions[number]);
    }
    if (action == "ListVersionsByFunction") {
      json::array list{configuration};
      for (const auto& [number, version] : versions) list.push_back(version);
      return json::serialize(json::object{{"Versions", std::move(list)}});
    }
    if (action == "GetAlias" || action == "UpdateAlias" || action == "DeleteAlias") {
      const auto alias = aliases.find(last);
      if (alias == aliases.end()) return Refuse(ErrorCode::kNotFound, "ResourceNotFoundException");
      if (action == "DeleteAlias") aliases.erase(alias);
      if (action != "UpdateAlias") {
        return action == "DeleteAlias" ? Answer("") : Answer(json::serialize(alias->second));
      }
      const auto* revision = body.if_contains("RevisionId");
      if (revision != nullptr && *revision != alias->second["RevisionId"]) {
        return Refuse(ErrorCode::kInvalidArgument, "PreconditionFailedException");
      }
      for (const auto& [key, value] : body) alias->second[key] = value;
      alias->second["RevisionId"] = NewRevision();
      return json::serialize(alias->second);
    }
    if (action == "CreateAlias") {
      const std::string name(body.at("Name").as_string());
      aliases[name] = body;
      aliases[name]["RevisionId"] = NewRevision();
      return json::serialize(aliases[name]);
    }
    if (action == "TagResource") Take(body.at("Tags").as_object());
    if (action == "GetFunctionUrlConfig") {
      if (url_auth.empty()) return Refuse(ErrorCode::kNotFound, "ResourceNotFoundException");
      return json::serialize(json::object{{"AuthType", url_auth}, {"FunctionUrl", "http://u/"}});
    }
    if (action == "CreateFunctionUrlConfig")
      url_auth = std::string(body.at("AuthType").as_string());
    if (action == "DeleteFunctionUrlConfig") url_auth.clear();
    if (action == "DeleteFunction") exists = false;
    return "{}";
  }

  int revisions_ = 0;
  boost::json::value published_revision_;
};

}  // namespace kelvin::deploy

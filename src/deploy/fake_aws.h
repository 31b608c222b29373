#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/encoding.h"
#include "deploy/api.h"

namespace kelvin::deploy {

// For tests: Lambda's control plane (one function), layers, IAM, logs, STS and S3 in memory. Fails
// the Nth call, or every call of an action, and notes what was called. A lost answer is a call that
// was carried out, but whose caller sees a failure.
class FakeAws final : public Api {
 public:
  std::vector<std::string> calls;  // actions, reads too
  int fail_call = 0;               // from 1; 0: none
  int rests_after = 0;             // calls, when an update under way ends; 0: never
  int fail_part = 0;               // of an upload
  int lose_answer = 0;             // from 1; 0: none
  std::map<std::string, Error> fail_action;
  bool exists = false;
  boost::json::object configuration;  // of $LATEST
  std::map<std::string, boost::json::object> versions;
  std::map<std::string, boost::json::object> aliases;
  std::map<std::string, std::string> tags;
  std::string url_auth;
  std::map<std::string, boost::json::object> policy;  // statements by id
  bool role = false;
  std::string role_policy;
  std::map<std::string, std::optional<int>> log_groups;            // retention
  std::map<std::string, std::vector<boost::json::object>> layers;  // versions
  std::map<std::string, std::string> objects;                      // by bucket/key
  std::map<std::string, std::map<int, std::string>> parts;         // by bucket/key
  std::set<std::string> buckets;

  std::vector<std::string> Writes() const {
    std::vector<std::string> writes;
    for (const std::string& call : calls) {
      if (!call.contains(":Get") && !call.contains(":List") && !call.contains(":Describe")) {
        writes.push_back(call);
      }
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
    if (static_cast<int>(calls.size()) == rests_after) {
      configuration["LastUpdateStatus"] = "Successful";
    }
    auto answer = Answered(call);
    if (static_cast<int>(calls.size()) == lose_answer) {
      return std::unexpected(Error{ErrorCode::kUnavailable, "the answer was lost"});
    }
    return answer;
  }

 private:
  using Answer = std::expected<std::string, Error>;

  Answer Answered(const ApiCall& call) {
    namespace json = boost::json;
    json::object body;
    if (call.body.starts_with('{')) body = json::parse(call.body).as_object();
    const std::string action = call.action.substr(call.action.find(':') + 1);
    if (call.service == "iam") return Iam(action, call.body);
    if (call.service == "logs") return Logs(action, body);
    if (call.service == "s3") return S3(call);
    if (call.service == "sts") return "<R><Account>123456789012</Account></R>";
    if (call.service != "lambda") return "{}";
    if (action.contains("LayerVersion")) return Layers(action, call, body);
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

  static Answer Refuse(ErrorCode code, std::string type) {
    return std::unexpected(Error{code, "Lambda says " + type, type});
  }

  Answer Iam(const std::string& action, const std::string& body) {
    if (action == "CreateRole" && role) {
      return Refuse(ErrorCode::kAlreadyExists, "EntityAlreadyExistsException");
    }
    if (action.starts_with("Delete") && !role) return Refuse(ErrorCode::kNotFound, "NoSuchEntity");
    if (action == "GetRolePolicy") {
      if (role_policy.empty()) return Refuse(ErrorCode::kNotFound, "NoSuchEntity");
      return "<R><PolicyDocument>" + role_policy + "</PolicyDocument></R>";
    }
    if (action == "PutRolePolicy") {
      role_policy = body.substr(body.find("PolicyDocument=") + 15);  // encoded as IAM gives it back
    }
    if (action == "DeleteRolePolicy") role_policy.clear();
    role = action != "DeleteRole";
    return "<Role><Arn>arn:aws:iam::1:role/kelvin-f</Arn></Role>";
  }

  Answer Logs(const std::string& action, const boost::json::object& body) {
    namespace json = boost::json;
    if (action == "DescribeLogGroups") {
      json::array groups;
      for (const auto& [name, days] : log_groups) {
        json::object group{{"logGroupName", name}};
        if (days) group["retentionInDays"] = *days;
        groups.push_back(std::move(group));
      }
      return json::serialize(json::object{{"logGroups", std::move(groups)}});
    }
    const std::string name(body.at("logGroupName").as_string());
    if (action == "CreateLogGroup" && log_groups.contains(name)) {
      return Refuse(ErrorCode::kAlreadyExists, "ResourceAlreadyExistsException");
    }
    log_groups[name];
    if (action == "PutRetentionPolicy") {
      log_groups[name] = static_cast<int>(body.at("retentionInDays").as_int64());
    }
    return "";
  }

  Answer S3(const ApiCall& call) {
    const std::string path = call.target.substr(1, call.target.find('?') - 1);
    const std::string query =
        call.target.contains('?') ? call.target.substr(call.target.find('?') + 1) : "";
    const bool bucket = !path.contains('/');
    if (call.method == "HEAD") {
      if (bucket ? buckets.contains(path) : objects.contains(path)) return "";
      return std::unexpected(Error{ErrorCode::kNotFound, "404"});
    }
    if (bucket && call.method == "PUT") {
      buckets.insert(path);
      return "";
    }
    if (bucket) {  // unfinished uploads
      std::string xml = "<R>";
      for (const auto& [name, ignored] : parts) {
        xml += "<Upload><Key>" + name.substr(name.find('/') + 1) +
               "</Key><UploadId>u1</UploadId></Upload>";
      }
      return xml + "</R>";
    }
    if (query == "uploads=") {
      parts[path];
      return "<R><UploadId>u1</UploadId></R>";
    }
    if (call.method == "GET") {
      std::string xml = "<R>";
      for (const auto& [number, bytes] : parts[path]) {
        xml += fmt::format(
            "<Part><PartNumber>{}</PartNumber><ETag>&quot;e{}&quot;</ETag><Size>{}</Size></Part>",
            number, number, bytes.size());
      }
      return xml + "</R>";
    }
    if (query.starts_with("partNumber=")) {
      if (std::stoi(query.substr(11)) == fail_part) {
        return std::unexpected(Error{ErrorCode::kUnavailable, "the network is gone"});
      }
      parts[path][std::stoi(query.substr(11))] = call.body;
      return "";
    }
    if (call.method == "POST") {
      for (const auto& [number, bytes] : parts[path]) objects[path] += bytes;
      parts.erase(path);
      return "<CompleteMultipartUploadResult/>";
    }
    objects[path] = call.body;
    return "";
  }

  Answer Layers(const std::string& action, const ApiCall& call, const boost::json::object& body) {
    namespace json = boost::json;
    constexpr std::string_view kBefore = "/layers/";
    std::string name = call.target.substr(call.target.find(kBefore) + kBefore.size());
    name = name.substr(0, name.find('/'));
    auto& versions = layers[name];
    if (action == "PublishLayerVersion") {
      json::object version = body;
      version["LayerVersionArn"] =
          fmt::format("arn:aws:lambda:us-east-1:1:layer:{}:{}", name, versions.size() + 1);
      versions.push_back(version);
      return json::serialize(version);
    }
    json::array list;
    for (const json::object& version : versions) list.push_back(version);
    return json::serialize(json::object{{"LayerVersions", std::move(list)}});
  }

  void Set(const boost::json::object& body) {
    for (const char* key :
         {"Runtime", "Handler", "Role", "MemorySize", "Timeout", "Architectures", "Environment"}) {
      if (const auto* value = body.if_contains(key)) configuration[key] = *value;
    }
    if (const auto* given = body.if_contains("Layers")) {
      boost::json::array list;
      for (const auto& arn : given->as_array())
        list.emplace_back(boost::json::object{{"Arn", arn}});
      configuration["Layers"] = std::move(list);
    }
    const boost::json::object* code = &body;
    if (const auto* inner = body.if_contains("Code")) code = inner->if_object();
    // The fake's digest is the code itself.
    if (const auto* zip = code->if_contains("ZipFile")) configuration["CodeSha256"] = *zip;
    if (const auto* key = code->if_contains("S3Key")) {
      const std::string object =
          std::string(code->at("S3Bucket").as_string()) + "/" + std::string(key->as_string());
      configuration["CodeSha256"] = Base64Encode(objects.at(object));
    }
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
      const auto* wanted = body.if_contains("RevisionId");
      if (wanted != nullptr && *wanted != configuration["RevisionId"]) {
        return Refuse(ErrorCode::kInvalidArgument, "PreconditionFailedException");
      }
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
    if (action == "GetPolicy") {
      if (policy.empty()) return Refuse(ErrorCode::kNotFound, "ResourceNotFoundException");
      json::array statements;
      for (const auto& [id, statement] : policy) statements.emplace_back(json::object{{"Sid", id}});
      return json::serialize(json::object{
          {"Policy", json::serialize(json::object{{"Statement", std::move(statements)}})}});
    }
    if (action == "AddPermission") policy[std::string(body.at("StatementId").as_string())] = body;
    if (action == "RemovePermission") policy.erase(last.substr(0, last.find('?')));
    if (action == "CreateFunctionUrlConfig" || action == "UpdateFunctionUrlConfig")
      url_auth = std::string(body.at("AuthType").as_string());
    if (action == "DeleteFunctionUrlConfig") url_auth.clear();
    if (action == "DeleteFunction") exists = false;
    return "{}";
  }

  int revisions_ = 0;
  boost::json::value published_revision_;
};

}  // namespace kelvin::deploy

#include "deploy/template.h"

#include <algorithm>
#include <set>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "deploy/role.h"
#include "deploy/yaml.h"

namespace kelvin::deploy {
namespace {

namespace json = boost::json;

json::string Str(const std::string& text) {
  return json::string(text);
}

json::array Strings(const std::vector<std::string>& strings) {
  json::array array;
  for (const std::string& text : strings) array.push_back(Str(text));
  return array;
}

// "create-item" -> "CreateItem": logical ids are letters and digits.
std::string LogicalId(std::string_view name) {
  std::string id;
  bool upper = true;
  for (const char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!letter && !(c >= '0' && c <= '9')) {
      upper = true;
      continue;
    }
    id += upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    upper = false;
  }
  return id;
}

// "create-item" -> "create_item".
std::string TerraformId(std::string_view name) {
  std::string id(name);
  for (char& c : id) {
    const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!word) c = '_';
  }
  return id;
}

json::object Ref(const std::string& id) {
  return {{"Ref", id}};
}
json::object GetAtt(const std::string& id, std::string_view attribute) {
  return {{"Fn::GetAtt", {id, attribute}}};
}
json::object Sub(const std::string& text) {
  return {{"Fn::Sub", text}};
}

json::object Variables(const FunctionSpec& function) {
  json::object variables;
  for (const auto& [name, value] : function.environment) variables[name] = value;
  return variables;
}

bool HasTable(const TemplateInput& input, const std::string& name) {
  return std::ranges::any_of(input.tables, [&](const TableSpec& t) { return t.name == name; });
}

class CloudFormation {
 public:
  CloudFormation(const TemplateInput& input, TemplateFormat format)
      : input_(input), sam_(format == TemplateFormat::kSam) {}

  std::string Make() {
    for (const TableSpec& table : input_.tables) AddTable(table);
    for (const FunctionSpec& function : input_.functions) AddFunction(function);
    json::object root{{"AWSTemplateFormatVersion", "2010-09-09"}};
    if (sam_) root["Transform"] = "AWS::Serverless-2016-10-31";
    root["Description"] = "Made by kelvin template";
    if (!parameters_.empty()) root["Parameters"] = std::move(parameters_);
    root["Resources"] = std::move(resources_);
    root["Outputs"] = std::move(outputs_);
    return Yaml(root);
  }

 private:
  void Add(const std::string& id, std::string_view type, json::object properties) {
    resources_[id] = json::object{{"Type", type}, {"Properties", std::move(properties)}};
  }

  void AddTable(const TableSpec& table) {
    json::array attributes{{{"AttributeName", table.hash_key}, {"AttributeType", table.hash_type}}};
    json::array keys{{{"AttributeName", table.hash_key}, {"KeyType", "HASH"}}};
    if (!table.range_key.empty()) {
      attributes.push_back(
          {{"AttributeName", table.range_key}, {"AttributeType", table.range_type}});
      keys.push_back({{"AttributeName", table.range_key}, {"KeyType", "RANGE"}});
    }
    Add(LogicalId(table.name) + "Table", "AWS::DynamoDB::Table",
        {{"TableName", table.name},
         {"BillingMode", "PAY_PER_REQUEST"},
         {"AttributeDefinitions", std::move(attributes)},
         {"KeySchema", std::move(keys)},
         {"TimeToLiveSpecification", {{"AttributeName", table.ttl_attribute}, {"Enabled", true}}}});
  }

  json::value TableArn(const std::string& table) const {
    if (HasTable(input_, table)) return GetAtt(LogicalId(table) + "Table", "Arn");
    return Sub(fmt::format(
        "arn:${{AWS::Partition}}:dynamodb:${{AWS::Region}}:${{AWS::AccountId}}:table/{}", table));
  }

  json::array Statements(const FunctionSpec& function, const std::string& id) const {
    json::array statements{{{"Effect", "Allow"},
                            {"Action", {"logs:CreateLogStream", "logs:PutLogEvents"}},
                            {"Resource", GetAtt(id + "Logs", "Arn")}}};
    if (!function.actions.empty() && !function.tables.empty()) {
      json::array resources;
      for (const std::string& table : function.tables) resources.push_back(TableArn(table));
      statements.push_back({{"Effect", "Allow"},
                            {"Action", Strings(function.actions)},
                            {"Resource", std::move(resources)}});
    }
    return statements;
  }

  void AddRole(const FunctionSpec& function, const std::string& id) {
    const json::object policy{{"Version", "2012-10-17"}, {"Statement", Statements(function, id)}};
    Add(id + "Role", "AWS::IAM::Role",
        {{"AssumeRolePolicyDocument", TrustPolicy()},
         {"Policies", json::array{{{"PolicyName", "function"}, {"PolicyDocument", policy}}}}});
  }

  void AddParameter(const std::string& id, const std::string& description) {
    parameters_[id] = json::object{{"Type", "String"}, {"Description", description}};
  }

  // Code, and what goes with it.
  void Describe(const FunctionSpec& function, const std::string& id, json::object& properties) {
    if (function.strategy == Strategy::kImage) {
      AddParameter(id + "Image", fmt::format("URI in ECR of the image of {}", function.name));
      properties["PackageType"] = "Image";
      if (sam_) {
        properties["ImageUri"] = Ref(id + "Image");
      } else {
        properties["Code"] = json::object{{"ImageUri", Ref(id + "Image")}};
      }
      return;
    }
    properties["Runtime"] = function.runtime;
    properties["Handler"] = function.handler;
    if (sam_) {
      properties["CodeUri"] = function.zip_path;
      return;
    }
    AddParameter("CodeBucket", "S3 bucket with the packages");
    AddParameter(id + "Key", fmt::format("Key in the bucket of {}", function.zip_path));
    properties["Code"] = json::object{{"S3Bucket", Ref("CodeBucket")}, {"S3Key", Ref(id + "Key")}};
  }

  void AddFunction(const FunctionSpec& function) {
    const std::string id = LogicalId(function.name);
    AddRole(function, id);
    Add(id + "Logs", "AWS::Logs::LogGroup",
        {{"LogGroupName", "/aws/lambda/" + function.name},
         {"RetentionInDays", function.log_retention_days}});
    json::object properties{{"FunctionName", function.name}};
    Describe(function, id, properties);
    properties["Architectures"] = json::array{Str(function.architecture)};
    properties["MemorySize"] = function.memory_mb;
    properties["Timeout"] = function.timeout_seconds;
    properties["Role"] = GetAtt(id + "Role", "Arn");
    if (!function.environment.empty()) {
      properties["Environment"] = json::object{{"Variables", Variables(function)}};
    }
    if (!function.layers.empty()) properties["Layers"] = Strings(function.layers);
    if (sam_) {
      // SAM makes a version and moves the alias with each change of the code.
      properties["AutoPublishAlias"] = function.alias;
      Add(id + "Function", "AWS::Serverless::Function", std::move(properties));
    } else {
      Add(id + "Function", "AWS::Lambda::Function", std::move(properties));
      Add(id + "Version", "AWS::Lambda::Version", {{"FunctionName", Ref(id + "Function")}});
      resources_[id + "Version"].as_object()["DeletionPolicy"] = "Retain";
      Add(id + "Alias", "AWS::Lambda::Alias",
          {{"FunctionName", Ref(id + "Function")},
           {"FunctionVersion", GetAtt(id + "Version", "Version")},
           {"Name", function.alias}});
    }
    resources_[id + "Function"].as_object()["DependsOn"] = id + "Logs";
    outputs_[id + "Arn"] = json::object{{"Value", GetAtt(id + "Function", "Arn")}};
  }

  const TemplateInput& input_;
  bool sam_;
  json::object parameters_;
  json::object resources_;
  json::object outputs_;
};

class Terraform {
 public:
  explicit Terraform(const TemplateInput& input) : input_(input) {}

  std::string Make() {
    for (const TableSpec& table : input_.tables) AddTable(table);
    for (const FunctionSpec& function : input_.functions) AddFunction(function);
    json::object root{{"terraform",
                       {{"required_providers",
                         {{"aws", {{"source", "hashicorp/aws"}, {"version", ">= 5.0"}}}}}}}};
    if (!variables_.empty()) root["variable"] = std::move(variables_);
    if (!data_.empty()) root["data"] = std::move(data_);
    root["resource"] = std::move(resources_);
    root["output"] = std::move(outputs_);
    return PrettyJson(root);
  }

 private:
  void Add(std::string_view type, const std::string& id, json::object body) {
    json::value& of_type = resources_[type];
    if (!of_type.is_object()) of_type = json::object();
    of_type.as_object()[id] = std::move(body);
  }

  void AddTable(const TableSpec& table) {
    json::array attributes{{{"name", table.hash_key}, {"type", table.hash_type}}};
    json::object body{{"name", table.name},
                      {"billing_mode", "PAY_PER_REQUEST"},
                      {"hash_key", table.hash_key},
                      {"ttl", {{"attribute_name", table.ttl_attribute}, {"enabled", true}}}};
    if (!table.range_key.empty()) {
      body["range_key"] = table.range_key;
      attributes.push_back({{"name", table.range_key}, {"type", table.range_type}});
    }
    body["attribute"] = std::move(attributes);
    Add("aws_dynamodb_table", TerraformId(table.name), std::move(body));
  }

  std::string TableArn(const std::string& table) {
    if (HasTable(input_, table))
      return fmt::format("${{aws_dynamodb_table.{}.arn}}", TerraformId(table));
    data_ = {{"aws_caller_identity", {{"here", json::object()}}},
             {"aws_region", {{"here", json::object()}}}};
    return fmt::format(
        "arn:aws:dynamodb:${{data.aws_region.here.name}}:${{data.aws_caller_identity.here.account_"
        "id}}:table/{}",
        table);
  }

  void AddRole(const FunctionSpec& function, const std::string& id) {
    json::array statements{
        {{"Effect", "Allow"},
         {"Action", {"logs:CreateLogStream", "logs:PutLogEvents"}},
         {"Resource", fmt::format("${{aws_cloudwatch_log_group.{}.arn}}:*", id)}}};
    if (!function.actions.empty() && !function.tables.empty()) {
      json::array resources;
      for (const std::string& table : function.tables) resources.push_back(Str(TableArn(table)));
      statements.push_back({{"Effect", "Allow"},
                            {"Action", Strings(function.actions)},
                            {"Resource", std::move(resources)}});
    }
    Add("aws_iam_role", id,
        {{"name_prefix", function.name.substr(0, 30) + "-"},
         {"assume_role_policy", json::serialize(TrustPolicy())}});
    Add("aws_iam_role_policy", id,
        {{"role", fmt::format("${{aws_iam_role.{}.id}}", id)},
         {"policy", json::serialize(json::object{{"Version", "2012-10-17"},
                                                 {"Statement", std::move(statements)}})}});
  }

  void AddFunction(const FunctionSpec& function) {
    const std::string id = TerraformId(function.name);
    Add("aws_cloudwatch_log_group", id,
        {{"name", "/aws/lambda/" + function.name},
         {"retention_in_days", function.log_retention_days}});
    AddRole(function, id);
    json::object body{{"function_name", function.name},
                      {"role", fmt::format("${{aws_iam_role.{}.arn}}", id)},
                      {"architectures", json::array{Str(function.architecture)}},
                      {"memory_size", function.memory_mb},
                      {"timeout", function.timeout_seconds},
                      {"publish", true},
                      {"depends_on", json::array{Str("aws_cloudwatch_log_group." + id)}}};
    if (function.strategy == Strategy::kImage) {
      variables_[id + "_image"] = json::object{{"type", "string"}};
      body["package_type"] = "Image";
      body["image_uri"] = fmt::format("${{var.{}_image}}", id);
    } else {
      body["runtime"] = function.runtime;
      body["handler"] = function.handler;
      body["filename"] = function.zip_path;
      body["source_code_hash"] = fmt::format("${{filebase64sha256(\"{}\")}}", function.zip_path);
    }
    if (!function.environment.empty()) {
      body["environment"] = json::object{{"variables", Variables(function)}};
    }
    if (!function.layers.empty()) body["layers"] = Strings(function.layers);
    Add("aws_lambda_function", id, std::move(body));
    Add("aws_lambda_alias", id,
        {{"name", function.alias},
         {"function_name", fmt::format("${{aws_lambda_function.{}.function_name}}", id)},
         {"function_version", fmt::format("${{aws_lambda_function.{}.version}}", id)}});
    outputs_[id + "_arn"] =
        json::object{{"value", fmt::format("${{aws_lambda_alias.{}.arn}}", id)}};
  }

  const TemplateInput& input_;
  json::object variables_;
  json::object data_;
  json::object resources_;
  json::object outputs_;
};

}  // namespace

std::optional<TemplateFormat> ParseTemplateFormat(std::string_view name) {
  if (name == "cloudformation") return TemplateFormat::kCloudFormation;
  if (name == "sam") return TemplateFormat::kSam;
  if (name == "terraform") return TemplateFormat::kTerraform;
  return std::nullopt;
}

std::string MakeTemplate(const TemplateInput& input, TemplateFormat format) {
  if (format == TemplateFormat::kTerraform) return Terraform(input).Make();
  return CloudFormation(input, format).Make();
}

}  // namespace kelvin::deploy

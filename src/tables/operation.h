#pragma once

#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "base/clock.h"
#include "base/ids.h"
#include "tables/failure.h"
#include "tables/fields.h"
#include "tables/json_writer.h"
#include "tables/store.h"

namespace kelvin::tables {

// What operations work with; all of it outlives them. One per request; its parts are thread-safe.
struct OperationContext {
  Store& store;
  const Clock& clock;
  Random& random;
  std::string_view region;
  std::string_view arn_prefix;  // "arn:aws:dynamodb:us-east-1:123456789012:table/"
  std::string_view account_id;
  std::string_view host;        // that the client asked for; empty where it did not say
  WriteGroup* group = nullptr;  // whose commit its writes share; null: they choose for themselves

  Outcome<void> Write(const Store::Work& work) {
    return group != nullptr ? group->Write(work) : store.Write(work);
  }
};

// Answers one decoded request with the JSON of the answer's body.
using Operation = Outcome<std::string> (*)(OperationContext& context,
                                           const boost::json::object& request);

// Null where there is no such operation, or none yet.
Operation FindOperation(std::string_view name);

// For operations on tables: the table that the member TableName names, or why there is none.
Outcome<TablePtr> NamedTable(const OperationContext& context, const boost::json::object& body);
std::unexpected<Failure> TableNotFound(std::string_view name);

// One function each, named as on the wire.
Outcome<std::string> BatchGetItem(OperationContext& context, const boost::json::object& request);
Outcome<std::string> BatchWriteItem(OperationContext& context, const boost::json::object& request);
Outcome<std::string> CreateTable(OperationContext& context, const boost::json::object& request);
Outcome<std::string> DeleteItem(OperationContext& context, const boost::json::object& request);
Outcome<std::string> DeleteTable(OperationContext& context, const boost::json::object& request);
Outcome<std::string> DescribeContinuousBackups(OperationContext& context,
                                               const boost::json::object& request);
Outcome<std::string> DescribeEndpoints(OperationContext& context,
                                       const boost::json::object& request);
Outcome<std::string> DescribeLimits(OperationContext& context, const boost::json::object& request);
Outcome<std::string> DescribeTable(OperationContext& context, const boost::json::object& request);
Outcome<std::string> DescribeTimeToLive(OperationContext& context,
                                        const boost::json::object& request);
Outcome<std::string> GetItem(OperationContext& context, const boost::json::object& request);
Outcome<std::string> ListTables(OperationContext& context, const boost::json::object& request);
Outcome<std::string> ListTagsOfResource(OperationContext& context,
                                        const boost::json::object& request);
Outcome<std::string> PutItem(OperationContext& context, const boost::json::object& request);
Outcome<std::string> Query(OperationContext& context, const boost::json::object& request);
Outcome<std::string> Scan(OperationContext& context, const boost::json::object& request);
Outcome<std::string> TagResource(OperationContext& context, const boost::json::object& request);
Outcome<std::string> TransactGetItems(OperationContext& context,
                                      const boost::json::object& request);
Outcome<std::string> TransactWriteItems(OperationContext& context,
                                        const boost::json::object& request);
Outcome<std::string> UntagResource(OperationContext& context, const boost::json::object& request);
Outcome<std::string> UpdateContinuousBackups(OperationContext& context,
                                             const boost::json::object& request);
Outcome<std::string> UpdateItem(OperationContext& context, const boost::json::object& request);
Outcome<std::string> UpdateTable(OperationContext& context, const boost::json::object& request);
Outcome<std::string> UpdateTimeToLive(OperationContext& context,
                                      const boost::json::object& request);
// ExecuteStatement and its kin.
Outcome<std::string> RefusePartiQl(OperationContext& context, const boost::json::object& request);

}  // namespace kelvin::tables

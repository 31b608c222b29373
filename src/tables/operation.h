#pragma once

#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "base/clock.h"
#include "base/ids.h"
#include "tables/failure.h"
#include "tables/store.h"

namespace kelvin::tables {

// What operations work with; all of it outlives them. Thread-safe in all its parts.
struct OperationContext {
  Store& store;
  const Clock& clock;
  Random& random;
  std::string arn_prefix;  // "arn:aws:dynamodb:us-east-1:123456789012:table/"
};

// Answers one decoded request with the JSON of the answer's body.
using Operation = Outcome<std::string> (*)(OperationContext& context,
                                           const boost::json::object& request);

// Null where there is no such operation, or none yet.
Operation FindOperation(std::string_view name);

Outcome<std::string> CreateTable(OperationContext& context, const boost::json::object& request);
Outcome<std::string> DeleteTable(OperationContext& context, const boost::json::object& request);
Outcome<std::string> DescribeTable(OperationContext& context, const boost::json::object& request);
Outcome<std::string> ListTables(OperationContext& context, const boost::json::object& request);
Outcome<std::string> DescribeTimeToLive(OperationContext& context,
                                        const boost::json::object& request);
Outcome<std::string> UpdateTimeToLive(OperationContext& context,
                                      const boost::json::object& request);
Outcome<std::string> DeleteItem(OperationContext& context, const boost::json::object& request);
Outcome<std::string> GetItem(OperationContext& context, const boost::json::object& request);
Outcome<std::string> PutItem(OperationContext& context, const boost::json::object& request);
Outcome<std::string> UpdateItem(OperationContext& context, const boost::json::object& request);
Outcome<std::string> Query(OperationContext& context, const boost::json::object& request);
Outcome<std::string> Scan(OperationContext& context, const boost::json::object& request);

}  // namespace kelvin::tables

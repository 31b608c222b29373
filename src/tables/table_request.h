#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tables/failure.h"
#include "tables/fields.h"
#include "tables/schema.h"

namespace kelvin::tables {

struct NamedKey {
  std::string_view name;
  std::string_view type;
};

// The members of CreateTable and UpdateTable that both have, as they came. Each notes faults of
// shape in the fields' Faults.
struct ThroughputRequest {
  std::int64_t read = 0;
  std::int64_t write = 0;
};
std::optional<ThroughputRequest> ReadThroughput(const Fields& fields);

// Each may be left out.
struct WarmRequest {
  std::optional<std::int64_t> read;
  std::optional<std::int64_t> write;
};
std::optional<WarmRequest> ReadWarmThroughput(const Fields& fields);
Throughput WarmOf(const WarmRequest& request);
// `least` is what it must not be lower than, and `least_is` what that is; empty for capacity units.
Outcome<void> CheckWarm(const std::optional<WarmRequest>& request, const Throughput& least,
                        std::string_view of, std::string_view least_is);

struct IndexRequest {
  IndexKind kind = IndexKind::kGlobal;
  std::string_view name;
  std::vector<NamedKey> schema;
  std::optional<std::string_view> projection;
  std::optional<std::vector<std::string_view>> attributes;
  std::optional<ThroughputRequest> throughput;
  std::optional<WarmRequest> warm;
};
IndexRequest ReadIndex(const Fields& fields, IndexKind kind);

std::vector<NamedKey> ReadDefinitions(const Fields& fields, Presence presence);
std::vector<NamedKey> ReadKeySchema(const Fields& fields);
std::optional<std::string_view> ReadBillingMode(const Fields& fields);
std::optional<Throughput> ReadOnDemandMaximum(const Fields& fields);
// Of SSESpecification, where there is one: the key's ARN, or what stands for it; empty for
// DynamoDB's own key. It is only ever told, as nothing is encrypted here.
std::optional<std::string> ReadEncryptionKey(const Fields& fields, std::string_view region,
                                             std::string_view account_id);

// The rules between them.
Outcome<void> CheckTableClass(std::optional<std::string_view> table_class);
Outcome<void> CheckUnits(const ThroughputRequest& throughput);
// The same of an index that is updated, for which DynamoDB has other words.
Outcome<void> CheckUnitsOfIndex(const ThroughputRequest& throughput);
Outcome<void> CheckKeySchema(const std::vector<NamedKey>& schema,
                             const std::vector<NamedKey>& definitions);
// Of its keys; then of its projection.
Outcome<void> CheckIndex(const IndexRequest& index, const std::vector<NamedKey>& definitions);
Outcome<void> CheckProjection(const IndexRequest& index);

// Of what passed the rules.
KeySchema SchemaOf(const std::vector<NamedKey>& schema, const std::vector<NamedKey>& definitions);
IndexDefinition IndexOf(const IndexRequest& index, const std::vector<NamedKey>& definitions);
KeyAttribute AttributeOf(const NamedKey& definition);

// Streams would change what a table does, and are not there: they are refused.
Outcome<void> CheckNoStream(const Fields& fields);

}  // namespace kelvin::tables

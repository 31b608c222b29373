#include <utility>

#include "tables/store.h"

namespace kelvin::tables {
namespace {

void BindPlace(Statement& statement, std::int64_t container, std::string_view partition,
               std::string_view sort) {
  statement.Bind(1, container);
  statement.Bind(2, partition);
  statement.Bind(3, sort);
}

template <typename Visit_>
std::expected<void, Error> VisitRows(Statement& statement, const Visit_& visit) {
  const StatementUse use(statement);
  while (true) {
    const auto row = statement.Step();
    if (!row) return std::unexpected(row.error());
    if (!*row || visit(statement) == Visit::kStop) return {};
  }
}

}  // namespace

Reader::~Reader() {
  if (snapshot_ == Snapshot::kYes && session_) (void)session_->Run(Sql::kRollback);
}

std::expected<void, Error> Reader::Get(std::int64_t container, const Key& key,
                                       const Visitor& visitor) {
  const auto statement = session_->Use(Sql::kGet);
  if (!statement) return std::unexpected(statement.error());
  BindPlace(**statement, container, key.partition, key.sort);
  return VisitRows(**statement, [&](const Statement& row) { return visitor(row.Blob(0)); });
}

std::expected<void, Error> Reader::Query(std::int64_t container, std::string_view partition,
                                         const SortRange& range, Order order,
                                         const Visitor& visitor) {
  const bool ascending = order == Order::kAscending;
  const Sql query = range.high
                        ? (ascending ? Sql::kQueryAscendingBefore : Sql::kQueryDescendingBefore)
                        : (ascending ? Sql::kQueryAscending : Sql::kQueryDescending);
  const auto statement = session_->Use(query);
  if (!statement) return std::unexpected(statement.error());
  BindPlace(**statement, container, partition, range.low);
  if (range.high) (*statement)->Bind(4, *range.high);
  return VisitRows(**statement, [&](const Statement& row) { return visitor(row.Blob(0)); });
}

std::expected<void, Error> Reader::Scan(std::int64_t container, const ScanRange& range,
                                        const PlaceVisitor& visitor) {
  const auto statement = session_->Use(range.last_partition ? Sql::kScanBefore : Sql::kScan);
  if (!statement) return std::unexpected(statement.error());
  BindPlace(**statement, container, range.first_partition, range.first_sort);
  if (range.last_partition) (*statement)->Bind(4, *range.last_partition);
  return VisitRows(**statement, [&](const Statement& row) {
    return visitor(row.Blob(1), row.Blob(2), row.Blob(0));
  });
}

}  // namespace kelvin::tables

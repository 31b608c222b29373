#pragma once

#include <map>
#include <string>
#include <string_view>

#include "tables/fields.h"
#include "tables/json_writer.h"
#include "tables/schema.h"
#include "tables/transaction.h"

namespace kelvin::tables {

// ReturnConsumedCapacity.
enum class CapacityReport { kNone, kTotal, kIndexes };
CapacityReport ReadCapacityReport(const Fields& fields);

enum class Consistency { kEventual, kStrong };
Consistency ReadConsistency(const Fields& fields);

// Units of a write of that many bytes, and of a read.
double WriteUnits(std::size_t bytes);
double ReadUnits(std::size_t bytes, Consistency consistency);

// What a request consumed of one table and its indexes.
class Consumed {
 public:
  // Transactions cost twice as much, and say apart what was read and what written.
  enum class Access { kPlain, kTransactionRead, kTransactionWrite };
  explicit Consumed(std::string_view table, Access access = Access::kPlain)
      : table_(table), access_(access) {}

  void AddTable(double units) { table_units_ += units * Factor(); }
  void AddIndex(IndexKind kind, const std::string& index, double units);
  void AddWrite(const WriteEffect& effect);

  // As one element of a list or the value of a key.
  void Write(JsonWriter& json, CapacityReport report) const;

 private:
  using ByIndex = std::map<std::string, double>;
  double Factor() const { return access_ == Access::kPlain ? 1 : 2; }
  static double SumOf(const ByIndex& units);
  void WriteUnitsObject(JsonWriter& json, double units) const;
  void WriteIndexes(JsonWriter& json, std::string_view key, const ByIndex& units) const;

  std::string table_;
  Access access_;
  double table_units_ = 0;
  ByIndex local_;
  ByIndex global_;
};

// Writes the member ConsumedCapacity where it was asked for.
void WriteCapacity(JsonWriter& json, CapacityReport report, const Consumed& consumed);
// The same of requests for several tables.
void WriteCapacities(JsonWriter& json, CapacityReport report,
                     const std::map<std::string, Consumed>& consumed);

}  // namespace kelvin::tables

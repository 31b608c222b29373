#include <array>
#include <chrono>
#include <deque>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "tables/collection_metrics.h"
#include "tables/item_write.h"
#include "tables/operation.h"

namespace kelvin::tables {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxActions = 100;
constexpr std::size_t kMaxBytes = std::size_t{4} << 20;
constexpr std::size_t kMaxTokenBytes = 36;
// How long a request with a token is answered without being done again.
constexpr std::chrono::minutes kTokenLife{10};

struct ActionForm {
  std::string_view name;
  WriteKind kind;
};
constexpr std::array<ActionForm, 4> kActions = {{{"ConditionCheck", WriteKind::kConditionCheck},
                                                 {"Put", WriteKind::kPut},
                                                 {"Delete", WriteKind::kDelete},
                                                 {"Update", WriteKind::kUpdate}}};

// TransactWriteItems' members as they came.
struct TransactRequest {
  Faults faults;
  Fields fields;
  CapacityReport capacity = CapacityReport::kNone;
  MetricsReport metrics = MetricsReport::kNone;
  std::optional<std::string_view> token;
  std::deque<ItemWrite> actions;

  explicit TransactRequest(const json::object& body)
      : fields(body, faults), token(fields.String("ClientRequestToken")) {
    if (token && (token->empty() || token->size() > kMaxTokenBytes)) {
      faults.Constraint(*token, "clientRequestToken",
                        token->empty() ? "Member must have length greater than or equal to 1"
                                       : "Member must have length less than or equal to 36");
    }
    capacity = ReadCapacityReport(fields);
    metrics = ReadMetricsReport(fields);
    fields.CheckLength("TransactItems", {.min = 1, .max = kMaxActions});
    const auto items = fields.Structs("TransactItems", "TransactWriteItem", Presence::kRequired);
    for (const Fields& item : items) ReadAction(item);
  }
  TransactRequest(const TransactRequest&) = delete;
  TransactRequest& operator=(const TransactRequest&) = delete;

 private:
  void ReadAction(const Fields& item) {
    const ActionForm* found = nullptr;
    std::optional<Fields> fields_of_action;
    int count = 0;
    for (const ActionForm& form : kActions) {
      auto action = item.Struct(form.name, form.name);
      if (!action) continue;
      ++count;
      found = &form;
      fields_of_action = std::move(action);
    }
    if (count != 1) {
      faults.Later(Failure{FailureKind::kValidation,
                           "TransactItems can only contain one of Check, Put, Update or Delete"});
      return;
    }
    actions.emplace_back(found->kind, WriteRole::kInTransaction, *fields_of_action)
        .set_value_fault(faults.TakeLater());
  }
};

Outcome<void> CheckRequest(TransactRequest& request) {
  if (auto ok = request.faults.CheckShape(); !ok) return ok;
  std::size_t bytes = 0;
  for (ItemWrite& action : request.actions) {
    if (auto ok = action.CheckRequest(); !ok) return ok;
    bytes += action.request_bytes();
  }
  if (auto ok = request.faults.Check(); !ok) return ok;
  if (bytes <= kMaxBytes) return {};
  return Invalid("Transaction payload size cannot exceed 4194304 bytes");
}

// Turns what is wrong with single actions into the one failure that cancels them all.
class Reasons {
 public:
  explicit Reasons(std::size_t actions) : reasons_(actions) {}

  // Fails at once for what is wrong with the request as a whole.
  Outcome<void> Take(std::size_t action, Outcome<void> result) {
    if (result) return {};
    Failure& failure = result.error();
    if (failure.kind == FailureKind::kConditionalCheckFailed) {
      reasons_[action] = {"ConditionalCheckFailed", failure.message, failure.item};
    } else if (failure.kind == FailureKind::kValidation && failure.reach == Reach::kAction) {
      reasons_[action] = {"ValidationError", failure.message, nullptr};
    } else {
      return result;
    }
    canceled_ = true;
    return {};
  }
  Outcome<void> Check() {
    if (!canceled_) return {};
    return std::unexpected(Canceled(std::move(reasons_)));
  }

 private:
  std::vector<CancellationReason> reasons_;
  bool canceled_ = false;
};

Outcome<void> BindAll(TransactRequest& request, const Store& store) {
  Reasons reasons(request.actions.size());
  for (std::size_t i = 0; i < request.actions.size(); ++i) {
    if (auto ok = reasons.Take(i, request.actions[i].Bind(store)); !ok) return ok;
    // The first fault is the only one that is looked for.
    if (auto ok = reasons.Check(); !ok) return ok;
  }
  std::set<std::tuple<std::string_view, std::string, std::string>> seen;
  for (const ItemWrite& action : request.actions) {
    const Key& key = action.key();
    if (seen.emplace(action.table_name(), key.partition, key.sort).second) continue;
    return Invalid("Transaction request cannot include multiple operations on one item");
  }
  return {};
}

enum class Done { kNow, kEarlier };

// What makes two requests with one token the same.
std::string FingerprintOf(const json::object& body) {
  return json::serialize(body.at("TransactItems"));
}

Outcome<void> DoAll(TransactRequest& request, Transaction& transaction) {
  Reasons reasons(request.actions.size());
  for (std::size_t i = 0; i < request.actions.size(); ++i) {
    if (auto ok = reasons.Take(i, request.actions[i].Decide(transaction)); !ok) return ok;
  }
  if (auto ok = reasons.Check(); !ok) return ok;
  for (ItemWrite& action : request.actions) {
    if (auto ok = action.Write(transaction); !ok) return ok;
  }
  return {};
}

Outcome<Done> Run(OperationContext& context, TransactRequest& request, const json::object& body) {
  const std::string fingerprint = request.token ? FingerprintOf(body) : std::string{};
  Done done = Done::kNow;
  auto written = context.Write([&](Transaction& transaction) -> Outcome<void> {
    done = Done::kNow;
    if (!request.token) return DoAll(request, transaction);
    const std::int64_t now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                                    context.clock.WallNow().time_since_epoch())
                                    .count();
    const auto earlier = transaction.FindToken(*request.token, now_ms);
    if (!earlier) return std::unexpected(earlier.error());
    if (*earlier && **earlier != fingerprint) {
      return std::unexpected(Failure{FailureKind::kIdempotentParameterMismatch,
                                     "The provided client token was used with other parameters "
                                     "within the last 10 minutes"});
    }
    if (*earlier) {
      done = Done::kEarlier;
      return {};
    }
    transaction.KeepToken(std::string(*request.token), fingerprint,
                          now_ms + std::chrono::milliseconds(kTokenLife).count());
    return DoAll(request, transaction);
  });
  if (!written) return std::unexpected(std::move(written.error()));
  return done;
}

void WriteMetrics(JsonWriter& out, Store& store, const TransactRequest& request) {
  std::map<std::string_view, std::vector<const ItemWrite*>> by_table;
  for (const ItemWrite& action : request.actions) {
    if (HasCollections(action.table())) by_table[action.table_name()].push_back(&action);
  }
  if (by_table.empty()) return;
  out.Key("ItemCollectionMetrics");
  out.BeginObject();
  for (const auto& [table, actions] : by_table) {
    out.Key(table);
    out.BeginArray();
    for (const ItemWrite* action : actions) WriteCollectionMetrics(out, store, *action);
    out.EndArray();
  }
  out.EndObject();
}

}  // namespace

Outcome<std::string> TransactWriteItems(OperationContext& context, const json::object& body) {
  TransactRequest request(body);
  if (auto ok = CheckRequest(request); !ok) return std::unexpected(std::move(ok.error()));
  if (auto ok = BindAll(request, context.store); !ok) return std::unexpected(std::move(ok.error()));
  const auto done = Run(context, request, body);
  if (!done) return std::unexpected(done.error());
  std::map<std::string, Consumed> consumed;
  const auto access = *done == Done::kNow ? Consumed::Access::kTransactionWrite
                                          : Consumed::Access::kTransactionRead;
  for (const ItemWrite& action : request.actions) {
    const std::string name(action.table_name());
    Consumed& of_table = consumed.try_emplace(name, name, access).first->second;
    if (*done == Done::kNow) {
      of_table.AddWrite(action.effect());
    } else {
      of_table.AddTable(ReadUnits(action.request_bytes(), Consistency::kStrong));
    }
  }
  std::string answer;
  JsonWriter out(answer);
  out.BeginObject();
  WriteCapacities(out, request.capacity, consumed);
  if (request.metrics == MetricsReport::kSize) WriteMetrics(out, context.store, request);
  out.EndObject();
  return answer;
}

}  // namespace kelvin::tables

#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "tables/value.h"

namespace kelvin::tables {

// Every error that clients of the protocol can meet here.
enum class FailureKind {
  kValidation,
  kSerialization,
  kUnknownOperation,
  kMissingAuthenticationToken,
  kResourceNotFound,
  kTableNotFound,
  kResourceInUse,
  kLimitExceeded,
  kConditionalCheckFailed,
  kTransactionCanceled,
  kIdempotentParameterMismatch,
  kAccessDenied,
  kIncompleteSignature,
  kInvalidSignature,
  kUnrecognizedClient,
  kRequestTooLarge,
  kInternalServerError,
};

// How a kind looks on the wire.
struct FailureForm {
  int status;
  std::string_view type;         // with its prefix, as in "__type"
  std::string_view message_key;  // "message", or "Message" where the protocol says so
};
const FailureForm& FormOf(FailureKind kind);

// What one action of a transaction had against it.
struct CancellationReason {
  std::string code = "None";
  std::string message = {};  // empty for none
  std::shared_ptr<const Item> item = {};
};

// Whether a fault refuses a whole transaction or is the reason of one of its actions.
enum class Reach { kAction, kRequest };

// Why a request was refused, in the protocol's words.
struct Failure {
  FailureKind kind = FailureKind::kInternalServerError;
  std::string message;
  // The item that broke the condition, where the request asked for it.
  std::shared_ptr<const Item> item = {};
  Reach reach = Reach::kAction;
  std::vector<CancellationReason> reasons = {};  // of kTransactionCanceled, one per action
};

template <typename T>
using Outcome = std::expected<T, Failure>;

std::unexpected<Failure> Invalid(std::string message);  // kValidation
// "One or more parameter values were invalid: " and `what`.
std::unexpected<Failure> InvalidParameter(std::string_view what);
// kValidation, of Reach::kRequest.
std::unexpected<Failure> InvalidRequest(std::string message);
std::unexpected<Failure> Unserializable(std::string message);  // kSerialization
std::unexpected<Failure> NotFound();                           // of a table, in operations on items

// A failure below the protocol: the client sees an InternalServerError that names the cause.
Failure FromError(const Error& error);

// A transaction that its actions' reasons cancel.
Failure Canceled(std::vector<CancellationReason> reasons);

// The answer's body.
std::string FailureJson(const Failure& failure);

}  // namespace kelvin::tables

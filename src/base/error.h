#pragma once

#include <string>
#include <string_view>

namespace kelvin {

// What went wrong, in the fewest kinds that callers tell apart. The Lambda and DynamoDB names that
// clients see are chosen at the edge of the service and of the tables.
enum class ErrorCode {
  kInvalidArgument,    // the input breaks a rule; trying again will not help
  kNotFound,           // the thing named does not exist
  kAlreadyExists,      // the thing named exists, or is being changed by somebody else
  kPermissionDenied,   // the host or the remote side forbids it
  kTimeout,            // the deadline passed
  kUnavailable,        // the other side cannot be reached or hung up; trying again may help
  kResourceExhausted,  // too large, too many, or the disk is full
  kThrottled,          // refused for now; try again later
  kCorrupt,            // stored or received data is damaged
  kIo,                 // the operating system refused
  kInternal,           // a broken promise within Kelvin
};

// The code's name as logs show it, such as "InvalidArgument".
std::string_view ErrorCodeName(ErrorCode code);

// A failure as a value. `message` says what was expected, what came, and how to mend it; it is one
// or more whole phrases without a final stop, fit to be shown as it is.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
  // The name the remote side gave it ("ConditionalCheckFailedException"), if it came from there.
  std::string remote_type = {};
};

// An Error from errno: "cannot open /x: No such file or directory". ENOSPC and EDQUOT become
// kResourceExhausted, ENOENT kNotFound, EACCES, EPERM and EROFS kPermissionDenied, EEXIST
// kAlreadyExists, the rest kIo. `doing` reads on from "cannot ".
Error ErrnoError(std::string_view doing, int error_number);

}  // namespace kelvin

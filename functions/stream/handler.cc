#include "handler.h"

#include <charconv>

namespace stream {
namespace {

constexpr std::int64_t kDefaultRows = 10;
// The first row goes out at once; later ones in pieces that are worth a call.
constexpr std::size_t kPieceBytes = 16 * 1024;

std::expected<std::int64_t, kelvin::HandlerError> Number(const Request& request,
                                                         const std::optional<std::int64_t>& given,
                                                         const std::string& name,
                                                         std::int64_t otherwise) {
  if (given) return *given;
  if (!request.queryStringParameters) return otherwise;
  const auto found = request.queryStringParameters->find(name);
  if (found == request.queryStringParameters->end()) return otherwise;
  const std::string& text = found->second;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc{} && end == text.data() + text.size()) return number;
  return std::unexpected(kelvin::HandlerError{"Function.BadRequest",
                                              "expected a number of " + name + ", got " + text});
}

}  // namespace

std::expected<void, kelvin::HandlerError> Export(const Request& request,
                                                 const kelvin::Context& context,
                                                 kelvin::ResponseStream& response) {
  const auto rows = Number(request, request.rows, "rows", kDefaultRows);
  if (!rows) return std::unexpected(rows.error());
  const auto fail_after = Number(request, request.fail_after, "fail_after", -1);
  if (!fail_after) return std::unexpected(fail_after.error());
  if (request.rawPath) {
    response.SetHead({.status_code = 200,
                      .headers = {{"Content-Type", "text/csv"}, {"X-Rows", std::to_string(*rows)}},
                      .cookies = {"exported=yes"}});
  } else {
    response.SetContentType("text/csv");
  }

  std::string piece;
  std::int64_t next_log_line = 1000;
  for (std::int64_t row = 1; row <= *rows; ++row) {
    if (row == *fail_after + 1) {
      if (auto written = response.Write(piece); !written) return written;
      return std::unexpected(
          kelvin::HandlerError{"Function.ExportFailed",
                               "the export broke off after row " + std::to_string(*fail_after)});
    }
    piece += std::to_string(row) + "," + std::to_string(row * row) + "\n";
    if (row == next_log_line) {
      context.log().Info("{} rows", row);
      next_log_line *= 10;
    }
    if (row > 1 && piece.size() < kPieceBytes) continue;
    if (auto written = response.Write(piece); !written) return written;
    piece.clear();
  }
  if (auto written = response.Write(piece); !written) return written;
  context.log().Info("all {} rows", *rows);
  return {};
}

}  // namespace stream

#include "deploy/upload.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "aws/sha256.h"
#include "aws/xml.h"
#include "base/encoding.h"

namespace kelvin::deploy {
namespace {

namespace json = boost::json;

using Result = std::expected<void, Error>;

// The texts between <tag> and </tag>, in order.
std::vector<std::string_view> Elements(std::string_view xml, std::string_view tag) {
  std::vector<std::string_view> found;
  const std::string open = fmt::format("<{}>", tag);
  const std::string close = fmt::format("</{}>", tag);
  for (std::size_t at = xml.find(open); at != std::string_view::npos; at = xml.find(open, at)) {
    at += open.size();
    const std::size_t end = xml.find(close, at);
    if (end == std::string_view::npos) break;
    found.push_back(xml.substr(at, end - at));
    at = end;
  }
  return found;
}

// One zip on its way into a bucket.
class Upload {
 public:
  Upload(Api& api, const UploadOptions& options, const Package& package,
         std::vector<std::string>& done)
      : api_(api), options_(options), package_(package), done_(done) {}

  std::expected<json::object, Error> Run(const std::string& name) {
    if (auto found = FindBucket(); !found) return std::unexpected(std::move(found.error()));
    key_ = fmt::format("kelvin/{}/{}.zip", name, HexEncode(*Base64Decode(package_.sha256)));
    if (!IsThere()) {
      const bool large = package_.zip.size() > options_.sizes.one_put;
      if (auto put = large ? PutParts() : PutWhole(); !put) {
        return std::unexpected(std::move(put.error()));
      }
      done_.push_back(fmt::format("uploaded {}", Place()));
    }
    return json::object{{"S3Bucket", bucket_}, {"S3Key", key_}};
  }

 private:
  std::string Place() const { return fmt::format("s3://{}/{}", bucket_, key_); }
  std::string Path() const {
    return fmt::format("/{}/{}", bucket_, PercentEncode(key_, Slash::kKeep));
  }

  std::expected<std::string, Error> Call(std::string_view action, std::string_view method,
                                         std::string target, std::string_view body = {},
                                         http::Headers headers = {}) {
    if (!account_.empty()) headers.Set("x-amz-expected-bucket-owner", account_);
    return api_.Send({.service = "s3",
                      .action = "s3:" + std::string(action),
                      .method = std::string(method),
                      .target = std::move(target),
                      .body = std::string(body),
                      .headers = std::move(headers)});
  }

  Result FindBucket() {
    bucket_ = options_.bucket;
    if (!bucket_.empty()) return {};
    const auto who =
        api_.Send({.service = "sts",
                   .action = "sts:GetCallerIdentity",
                   .method = "POST",
                   .target = "/",
                   .body = "Action=GetCallerIdentity&Version=2011-06-15",
                   .headers = {{"Content-Type", "application/x-www-form-urlencoded"}}});
    if (!who) return std::unexpected(who.error());
    account_ = aws::XmlText(*who, "Account");
    if (account_.empty()) {
      return std::unexpected(Error{ErrorCode::kCorrupt,
                                   "expected STS to name the account, it does not; name a bucket "
                                   "with --bucket"});
    }
    bucket_ = fmt::format("kelvin-deploy-{}-{}", account_, options_.region);
    if (Call("ListBucket", "HEAD", "/" + bucket_)) return {};
    return MakeBucket();
  }

  Result MakeBucket() {
    const std::string body =
        options_.region == "us-east-1"
            ? std::string()
            : fmt::format(
                  "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/"
                  "2006-03-01/\"><LocationConstraint>{}</LocationConstraint>"
                  "</CreateBucketConfiguration>",
                  options_.region);
    auto made = api_.Send({.service = "s3",
                           .action = "s3:CreateBucket",
                           .method = "PUT",
                           .target = "/" + bucket_,
                           .body = body,
                           .headers = {{"Content-Type", "application/xml"}}});
    if (made) {
      done_.push_back(fmt::format("created bucket {}", bucket_));
      return {};
    }
    if (made.error().remote_type == "BucketAlreadyOwnedByYou") return {};
    made.error().message += fmt::format(
        "; packages beyond 50 MB go by way of bucket {}: name another in the same region with "
        "--bucket",
        bucket_);
    return std::unexpected(std::move(made.error()));
  }

  // Also not when that cannot be told: sending it again does no harm.
  bool IsThere() { return Call("GetObject", "HEAD", Path()).has_value(); }

  Result PutWhole() {
    auto put =
        Call("PutObject", "PUT", Path(), package_.zip,
             {{"Content-Type", "application/zip"}, {"x-amz-checksum-sha256", package_.sha256}});
    if (!put) return std::unexpected(std::move(put.error()));
    return {};
  }

  Result PutParts() {
    if (auto begun = Begin(); !begun) return begun;
    auto there = Parts();
    if (!there) return std::unexpected(std::move(there.error()));
    const std::size_t size = options_.sizes.part;
    const std::size_t count = (package_.zip.size() + size - 1) / size;
    for (std::size_t i = 0; i < count; ++i) {
      if (there->contains(i + 1)) continue;
      const std::string_view bytes = std::string_view(package_.zip).substr(i * size, size);
      const std::string checksum = Base64Encode(aws::BytesOf(aws::Sha256(bytes)));
      auto put = Call("PutObject", "PUT",
                      fmt::format("{}?partNumber={}&uploadId={}", Path(), i + 1, upload_id_), bytes,
                      {{"x-amz-checksum-sha256", checksum}});
      if (!put) {
        done_.push_back(
            fmt::format("uploaded {} of {} parts of {}, which wait there", i, count, Place()));
        return std::unexpected(std::move(put.error()));
      }
    }
    there = Parts();
    if (!there) return std::unexpected(std::move(there.error()));
    std::string body = "<CompleteMultipartUpload>";
    for (const auto& [number, part] : *there) {
      body += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag>", number, part.etag);
      if (!part.checksum.empty()) {
        body += fmt::format("<ChecksumSHA256>{}</ChecksumSHA256>", part.checksum);
      }
      body += "</Part>";
    }
    auto completed =
        Call("PutObject", "POST", fmt::format("{}?uploadId={}", Path(), upload_id_),
             body + "</CompleteMultipartUpload>", {{"Content-Type", "application/xml"}});
    if (!completed) return std::unexpected(std::move(completed.error()));
    // S3 says 200 before it knows how it ends.
    if (!completed->contains("<Error>")) return {};
    return std::unexpected(
        Error{ErrorCode::kUnavailable,
              fmt::format("s3:PutObject failed: {}", aws::XmlText(*completed, "Message"))});
  }

  // Goes on with an upload that was interrupted, or begins one.
  Result Begin() {
    const auto open = Call("ListBucketMultipartUploads", "GET",
                           fmt::format("/{}?prefix={}&uploads=", bucket_, PercentEncode(key_)));
    const std::string listed = open.value_or("");
    for (const std::string_view upload : Elements(listed, "Upload")) {
      if (aws::XmlText(upload, "Key") == key_) upload_id_ = aws::XmlText(upload, "UploadId");
    }
    if (!upload_id_.empty()) return {};
    auto begun =
        Call("PutObject", "POST", Path() + "?uploads=", {},
             {{"Content-Type", "application/zip"}, {"x-amz-checksum-algorithm", "SHA256"}});
    if (!begun) return std::unexpected(std::move(begun.error()));
    upload_id_ = aws::XmlText(*begun, "UploadId");
    if (!upload_id_.empty()) return {};
    return std::unexpected(
        Error{ErrorCode::kCorrupt, "expected S3 to name the upload, it does not"});
  }

  struct Part {
    std::string etag;
    std::string checksum;
  };
  // What of it has arrived whole, by number. 250 MB make fewer parts than one page has.
  std::expected<std::map<std::size_t, Part>, Error> Parts() {
    auto listed =
        Call("ListMultipartUploadParts", "GET", fmt::format("{}?uploadId={}", Path(), upload_id_));
    if (!listed) return std::unexpected(std::move(listed.error()));
    const std::size_t whole = package_.zip.size();
    const std::size_t each = options_.sizes.part;
    std::map<std::size_t, Part> parts;
    for (const std::string_view part : Elements(*listed, "Part")) {
      const std::size_t number =
          std::strtoul(aws::XmlText(part, "PartNumber").c_str(), nullptr, 10);
      const std::size_t size = std::strtoul(aws::XmlText(part, "Size").c_str(), nullptr, 10);
      if (number == 0 || (number - 1) * each >= whole) continue;
      if (size != std::min(each, whole - (number - 1) * each)) continue;
      parts[number] = {aws::XmlText(part, "ETag"), aws::XmlText(part, "ChecksumSHA256")};
    }
    return parts;
  }

  Api& api_;
  const UploadOptions& options_;
  const Package& package_;
  std::vector<std::string>& done_;
  std::string account_;  // of a bucket of kelvin's
  std::string bucket_;
  std::string key_;
  std::string upload_id_;
};

}  // namespace

std::expected<json::object, Error> CodeFor(Api& api, const UploadOptions& options,
                                           const Package& package, const std::string& name,
                                           std::vector<std::string>& done) {
  if (package.zip.size() <= options.sizes.direct || options.place == Place::kLocal) {
    return json::object{{"ZipFile", Base64Encode(package.zip)}};
  }
  return Upload(api, options, package, done).Run(name);
}

}  // namespace kelvin::deploy

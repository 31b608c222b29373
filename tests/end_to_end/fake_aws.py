"""As much of AWS as `kelvin deploy`, `rollout` and `destroy` talk to, on one port and in memory: Lambda's
control plane, IAM, STS, CloudWatch's logs and metrics, S3. It can refuse an action, and hang up in the
middle of a call. Signatures are checked by botocore's own code."""
import base64
import hashlib
import http.server
import json
import re
import threading
import urllib.parse
import uuid

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
ACCOUNT = "123456789012"


class Refusal(Exception):
    def __init__(self, status, kind, message):
        self.status, self.kind, self.message = status, kind, message


def not_found(what):
    return Refusal(404, "ResourceNotFoundException", f"{what} not found")


class Aws:
    def __init__(self):
        self.calls = []        # actions, in order
        self.refuse = {}       # action: (status, error type)
        self.hang_up_at = 0    # the call, from 1, whose answer is lost; 0 for none
        self.lost_before = False  # whether that call is lost before it is carried out
        self.down = False      # every call from hang_up_at on is lost
        self.functions = {}
        self.layers = {}
        self.roles = {}        # name: policy or None
        self.log_groups = {}
        self.buckets = {}      # name: {key: bytes}
        self.uploads = {}      # (bucket, key): {number: bytes}
        self.metrics = {}      # version: {id: [values]}
        self.lock = threading.Lock()

    # Lambda

    def code(self, given):
        if "ZipFile" in given:
            return base64.b64decode(given["ZipFile"])
        return self.buckets[given["S3Bucket"]][given["S3Key"]]

    def configure(self, function, body, zip_bytes=None):
        for key in ("Runtime", "Handler", "Role", "MemorySize", "Timeout", "Architectures", "Environment"):
            if key in body:
                function["latest"][key] = body[key]
        if "Layers" in body:
            function["latest"]["Layers"] = [{"Arn": arn} for arn in body["Layers"]]
        if zip_bytes is not None:
            function["latest"]["CodeSha256"] = base64.b64encode(hashlib.sha256(zip_bytes).digest()).decode()
        function["latest"]["RevisionId"] = str(uuid.uuid4())
        return function["latest"]

    def function(self, name):
        if name not in self.functions:
            raise not_found(f"Function: {name}")
        return self.functions[name]

    @staticmethod
    def check_revision(body, thing):
        if body.get("RevisionId") not in (None, thing["RevisionId"]):
            raise Refusal(412, "PreconditionFailedException", "The RevisionId provided does not match the latest one.")

    def create_function(self, body):
        name = body["FunctionName"]
        if name in self.functions:
            raise Refusal(409, "ResourceConflictException", f"Function already exist: {name}")
        self.functions[name] = {"latest": {
            "FunctionName": name, "Version": "$LATEST", "State": "Active", "LastUpdateStatus": "Successful",
            "FunctionArn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}"},
            "versions": {}, "aliases": {}, "tags": body.get("Tags", {}), "urls": {}, "policy": {}, "published": None}
        return self.configure(self.functions[name], body, self.code(body["Code"]))

    def lambda_call(self, method, path, query, body):
        layer = re.fullmatch("/2018-10-31/layers/([^/]+)/versions", path)
        if layer:
            return self.layer(method, layer[1], body)
        if path.startswith("/2017-03-31/tags/"):
            return "TagResource", lambda: self.function(urllib.parse.unquote(path).rpartition(":")[2])["tags"].update(
                body["Tags"])
        if (method, path) == ("POST", "/2015-03-31/functions"):
            return "CreateFunction", lambda: self.create_function(body)
        match = re.fullmatch("/20[0-9-]+/functions/([^/]+)(/.*)?", path)
        if not match:
            raise Refusal(404, "UnknownOperationException", path)
        qualifier = query.get("Qualifier", [""])[0]
        return self.of_function(method, match[1], match[2] or "", qualifier, body)

    def layer(self, method, name, body):
        versions = self.layers.setdefault(name, [])

        def publish():
            arn = f"arn:aws:lambda:us-east-1:{ACCOUNT}:layer:{name}:{len(versions) + 1}"
            versions.append({"LayerVersionArn": arn, "Description": body["Description"],
                             "size": len(self.code(body["Content"]))})
            return versions[-1]

        if method == "POST":
            return "PublishLayerVersion", publish
        return "ListLayerVersions", lambda: {"LayerVersions": versions[::-1]}

    def of_function(self, method, name, rest, qualifier, body):
        def get(function):
            return {"Configuration": function["latest"], "Tags": function["tags"]}

        def configuration(function):
            if not qualifier:
                return function["latest"]
            version = function["aliases"].get(qualifier, {}).get("FunctionVersion", qualifier)
            if version not in function["versions"]:
                raise not_found(qualifier)
            return function["versions"][version]

        def update(function):
            self.check_revision(body, function["latest"])
            return self.configure(function, body, self.code(body) if rest == "/code" else None)

        def publish(function):
            self.check_revision(body, function["latest"])
            if function["published"] == function["latest"]["RevisionId"]:
                return function["versions"][str(len(function["versions"]))]
            number = str(len(function["versions"]) + 1)
            function["versions"][number] = {**function["latest"], "Version": number}
            function["published"] = function["latest"]["RevisionId"]
            return function["versions"][number]

        def alias_of(function):
            alias = rest.rpartition("/")[2]
            if alias not in function["aliases"]:
                raise not_found(f"Alias {alias}")
            return function["aliases"][alias]

        def set_alias(function):
            alias = {"Name": body["Name"]} if method == "POST" else alias_of(function)
            if method == "PUT":
                self.check_revision(body, alias)
            alias.update(body, RevisionId=str(uuid.uuid4()))
            function["aliases"][alias["Name"]] = alias
            return alias

        def remove_alias(function):
            alias_of(function)
            del function["aliases"][rest.rpartition("/")[2]]

        def url(function):
            if method in ("POST", "PUT"):
                function["urls"][qualifier] = body["AuthType"]
            if qualifier not in function["urls"]:
                raise not_found("Url")
            if method == "DELETE":
                return function["urls"].pop(qualifier) and None
            return {"AuthType": function["urls"][qualifier], "FunctionUrl": "https://x.lambda-url.us-east-1.on.aws/"}

        def policy(function):
            if method == "POST":
                function["policy"][body["StatementId"]] = body
            elif method == "DELETE":
                function["policy"].pop(rest.rpartition("/")[2])
            elif not function["policy"]:
                raise not_found("policy")
            return {"Policy": json.dumps({"Statement": [{"Sid": sid} for sid in function["policy"]]})}

        verb = {"GET": "Get", "POST": "Create", "PUT": "Update", "DELETE": "Delete"}[method]
        part = rest.split("/")[1] if rest else ""
        table = {
            "": (verb + "Function", get if method == "GET" else lambda function: self.functions.pop(name) and None),
            "configuration": (verb + "FunctionConfiguration", configuration if method == "GET" else update),
            "code": ("UpdateFunctionCode", update),
            "versions": ("PublishVersion" if method == "POST" else "ListVersionsByFunction",
                         publish if method == "POST" else
                         lambda function: {"Versions": [function["latest"], *function["versions"].values()]}),
            "aliases": (verb + "Alias", {"GET": alias_of, "DELETE": remove_alias}.get(method, set_alias)),
            "url": (verb + "FunctionUrlConfig", url),
            "policy": ({"GET": "GetPolicy", "POST": "AddPermission"}.get(method, "RemovePermission"), policy)}
        action, work = table[part]
        return action, lambda: work(self.function(name))

    # IAM, STS, CloudWatch

    def form_call(self, form):
        action = form["Action"]
        name = form.get("RoleName")

        def need():
            if name not in self.roles:
                raise Refusal(404, "NoSuchEntity", f"The role with name {name} cannot be found.")

        def role():
            if action == "CreateRole":
                if name in self.roles:
                    raise Refusal(409, "EntityAlreadyExists", f"Role with name {name} already exists.")
                self.roles[name] = None
            need()
            if action == "PutRolePolicy":
                self.roles[name] = form["PolicyDocument"]
            if action == "GetRolePolicy":
                if not self.roles[name]:
                    raise Refusal(404, "NoSuchEntity", "no policy")
                return f"<R><PolicyDocument>{urllib.parse.quote(self.roles[name])}</PolicyDocument></R>"
            if action == "DeleteRolePolicy":
                self.roles[name] = None
            if action == "DeleteRole":
                del self.roles[name]
            return f"<R><Role><Arn>arn:aws:iam::{ACCOUNT}:role/{name}</Arn></Role></R>"

        def metric_data():
            dimensions = {form[key]: form[key[:-4] + "Value"] for key in form if re.search(r"member\.\d+\.Name$", key)}
            figures = self.metrics.get(dimensions["ExecutedVersion"], {})
            ids = [form[key] for key in form if re.fullmatch(r"MetricDataQueries\.member\.\d+\.Id", key)]
            return "<R><MetricDataResults>" + "".join(
                f"<member><Id>{one}</Id><Values>" + "".join(f"<member>{v}</member>" for v in figures.get(one, []))
                + "</Values></member>" for one in ids) + "</MetricDataResults></R>"

        if action == "GetCallerIdentity":
            return "sts:" + action, lambda: f"<R><Account>{ACCOUNT}</Account></R>"
        if action == "GetMetricData":
            return "cloudwatch:" + action, metric_data
        return "iam:" + action, role

    def logs_call(self, action, body):
        def work():
            name = body.get("logGroupName")
            if action == "DescribeLogGroups":
                return {"logGroups": [{"logGroupName": key, **({"retentionInDays": days} if days else {})}
                                      for key, days in sorted(self.log_groups.items())
                                      if key.startswith(body["logGroupNamePrefix"])]}
            if action == "CreateLogGroup":
                if name in self.log_groups:
                    raise Refusal(400, "ResourceAlreadyExistsException", "The specified log group already exists")
                self.log_groups[name] = None
            if action == "PutRetentionPolicy":
                self.log_groups[name] = body["retentionInDays"]
            return {}
        return "logs:" + action, work

    # S3

    def s3_call(self, method, path, query, headers, body):
        bucket, _, key = path[1:].partition("/")
        upload = (bucket, key)

        def error(status, kind):
            return Refusal(status, kind, kind)

        def checked():
            digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
            if headers.get("x-amz-checksum-sha256") != digest:
                raise error(400, "BadDigest")

        def bucket_call():
            if method == "PUT":
                self.buckets.setdefault(bucket, {})
            elif bucket not in self.buckets:
                raise error(404, "NoSuchBucket")
            return "<R>" + "".join(f"<Upload><Key>{k}</Key><UploadId>id</UploadId></Upload>"
                                   for b, k in self.uploads if b == bucket) + "</R>"

        def object_call():
            if bucket not in self.buckets:
                raise error(404, "NoSuchBucket")
            if method == "HEAD":
                if key not in self.buckets[bucket]:
                    raise error(404, "NoSuchKey")
                return ""
            if "uploads" in query:
                self.uploads[upload] = {}
                return "<R><UploadId>id</UploadId></R>"
            if "partNumber" in query:
                checked()
                self.uploads[upload][int(query["partNumber"][0])] = body
                return ""
            if "uploadId" in query and method == "GET":
                return "<R>" + "".join(
                    f"<Part><PartNumber>{n}</PartNumber><ETag>&quot;{n}&quot;</ETag><Size>{len(part)}</Size></Part>"
                    for n, part in sorted(self.uploads[upload].items())) + "</R>"
            if "uploadId" in query:
                parts = self.uploads.pop(upload)
                self.buckets[bucket][key] = b"".join(part for _, part in sorted(parts.items()))
                return "<CompleteMultipartUploadResult/>"
            checked()
            self.buckets[bucket][key] = body
            return ""

        if not key:
            return {"HEAD": "s3:ListBucket", "PUT": "s3:CreateBucket", "GET": "s3:ListBucketMultipartUploads"}[method], \
                bucket_call
        return {"HEAD": "s3:GetObject", "GET": "s3:ListMultipartUploadParts"}.get(method, "s3:PutObject"), object_call


def check_signature(method, url, headers, body, service, signed, signature):
    """By botocore's code."""
    from botocore.auth import S3SigV4Auth, SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    auth = (S3SigV4Auth if service == "s3" else SigV4Auth)(Credentials("AKIDEXAMPLE", SECRET), service, "us-east-1")
    request = AWSRequest(method, url, {name: headers[name] for name in signed if name != "host"}, body)
    request.headers["Host"] = headers["Host"]
    request.context["timestamp"] = headers["X-Amz-Date"]
    request.context["payload_signing_enabled"] = True
    if service == "s3":
        request.context["client_config"] = None
    expected = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
    return expected == signature


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def route(self, aws, body):
        path, _, rest = self.path.partition("?")
        query = urllib.parse.parse_qs(rest, keep_blank_values=True)
        service = re.search("/([a-z0-9-]+)/aws4_request", self.headers["Authorization"])[1]
        if service == "s3":
            return service, *aws.s3_call(self.command, urllib.parse.unquote(path), query, self.headers, body)
        if "X-Amz-Target" in self.headers:
            return service, *aws.logs_call(self.headers["X-Amz-Target"].partition(".")[2], json.loads(body))
        if service != "lambda":
            return service, *aws.form_call(dict(urllib.parse.parse_qsl(body.decode())))
        if path.startswith("/kelvin/"):
            return service, "none", lambda: (_ for _ in ()).throw(Refusal(404, "UnknownOperationException", path))
        action, work = aws.lambda_call(self.command, path, query, json.loads(body) if body else {})
        return service, "lambda:" + action, work

    def answer(self):
        aws = self.server.aws
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with aws.lock:
            try:
                service, action, work = self.route(aws, body)
                if action != "none":
                    aws.calls.append(action)
                here = len(aws.calls)
                lost = aws.hang_up_at and (here >= aws.hang_up_at if aws.down else here == aws.hang_up_at)
                if lost and aws.lost_before:
                    return self.hang_up()
                parts = re.search("SignedHeaders=([^,]*), Signature=(.*)", self.headers["Authorization"])
                if not check_signature(self.command, f"http://{self.headers['Host']}{self.path}", self.headers, body,
                                       service, parts[1].split(";"), parts[2]):
                    raise Refusal(403, "SignatureDoesNotMatch", "The request signature we calculated does not match")
                if action in aws.refuse:
                    status, kind = aws.refuse[action]
                    raise Refusal(status, kind, f"User: arn:aws:iam::{ACCOUNT}:user/x is not authorized to perform: "
                                                f"{action}")
                result = work()
                if lost:
                    return self.hang_up()
                self.reply(200, result if isinstance(result, str) else json.dumps(result or {}))
            except Refusal as refusal:
                if service in ("iam", "s3", "sts", "monitoring"):
                    self.reply(refusal.status, f"<ErrorResponse><Error><Code>{refusal.kind}</Code><Message>"
                                               f"{refusal.message}</Message></Error></ErrorResponse>")
                else:
                    self.reply(refusal.status, json.dumps({"Message": refusal.message}), refusal.kind)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = answer

    def hang_up(self):
        self.close_connection = True
        self.connection.close()

    def reply(self, status, text, kind=None):
        data = text.encode()
        self.send_response(status)
        if kind:
            self.send_header("x-amzn-ErrorType", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


class Server:
    """Runs `aws` on a free port in a with statement."""

    def __init__(self):
        self.aws = Aws()
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.aws = self.aws
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        self.thread = threading.Thread(target=self.http.serve_forever)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()

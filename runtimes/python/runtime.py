"""Runs Lambda functions written in Python: finds the handler, takes events from the Runtime API,
hands them over, and posts what comes of them."""
import decimal
import http.client
import importlib
import json
import logging
import os
import sys
import time
import traceback

API = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
IS_JSON = os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON"
LEVELS = {"TRACE": "NOTSET", "FATAL": "CRITICAL"}  # Lambda's names that are not Python's


class RuntimeFailure(Exception):
    """A failure that has a name of Lambda's own, such as Runtime.ImportModuleError."""

    def __init__(self, kind, message):
        super().__init__(message)
        self.kind = kind


def call(method, path, body=None, headers={}):
    API.request(method, "/2018-06-01/runtime/" + path, body, headers)
    answer = API.getresponse()
    return answer.headers, answer.read()


class Identity:
    def __init__(self, fields):
        self.cognito_identity_id = fields.get("cognitoIdentityId")
        self.cognito_identity_pool_id = fields.get("cognitoIdentityPoolId")


class Client:
    def __init__(self, fields):
        for name in ("installation_id", "app_title", "app_version_name", "app_version_code",
                     "app_package_name"):
            setattr(self, name, fields.get(name))


class ClientContext:
    def __init__(self, fields):
        self.custom = fields.get("custom")
        self.env = fields.get("env")
        self.client = Client(fields["client"]) if fields.get("client") else None


class Context:
    """What the documentation of Lambda for Python says of the context object."""

    def __init__(self, headers):
        environment = os.environ
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = headers.get("Lambda-Runtime-Invoked-Function-Arn")
        self.function_name = environment.get("AWS_LAMBDA_FUNCTION_NAME")
        self.function_version = environment.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.memory_limit_in_mb = environment.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.log_group_name = environment.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = environment.get("AWS_LAMBDA_LOG_STREAM_NAME")
        client = headers.get("Lambda-Runtime-Client-Context")
        self.client_context = ClientContext(json.loads(client)) if client else None
        self.identity = Identity(json.loads(headers.get("Lambda-Runtime-Cognito-Identity") or "{}"))
        self._deadline_ms = int(headers.get("Lambda-Runtime-Deadline-Ms", 0))

    def get_remaining_time_in_millis(self):
        return max(self._deadline_ms - int(time.time() * 1000), 0)

    def log(self, message):
        sys.stdout.write(str(message))


class LambdaFilter(logging.Filter):
    request_id = ""

    def filter(self, record):
        record.aws_request_id = LambdaFilter.request_id
        return True


class TextFormatter(logging.Formatter):
    converter = time.gmtime

    def __init__(self):
        super().__init__("[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s",
                         "%Y-%m-%dT%H:%M:%S")

    def format(self, record):
        # A line feed would begin another event.
        return super().format(record).replace("\n", "\r")


class JsonFormatter(logging.Formatter):
    def format(self, record):
        line = {"timestamp": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
                + "Z", "level": record.levelname, "message": record.getMessage(),
                "logger": record.name, "requestId": record.aws_request_id}
        if record.exc_info:
            kind, error, trace = record.exc_info
            line.update(errorType=kind.__name__, errorMessage=str(error),
                        stackTrace=traceback.format_tb(trace))
        own = logging.makeLogRecord({}).__dict__
        for name, value in record.__dict__.items():
            if name not in own and name not in line and name not in ("aws_request_id", "message",
                                                                     "asctime"):
                line[name] = value
        return json.dumps(line, ensure_ascii=False, default=str)


def set_up_logging():
    sys.stdout.reconfigure(line_buffering=True)
    handler = logging.StreamHandler(sys.stdout)
    handler.addFilter(LambdaFilter())
    handler.setFormatter(JsonFormatter() if IS_JSON else TextFormatter())
    root = logging.getLogger()
    root.addHandler(handler)
    level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "").upper()
    if IS_JSON and level:
        root.setLevel(LEVELS.get(level, level))


def error_document(error, request_id=None):
    """The error as callers see it, and its name for the header."""
    if isinstance(error, RuntimeFailure):
        kind, trace = error.kind, []
    else:
        kind = type(error).__name__
        # From the handler on: what is below is this file's.
        frames = [frame for frame in traceback.extract_tb(error.__traceback__)
                  if frame.filename != __file__]
        trace = traceback.format_list(frames)
    document = {"errorMessage": str(error), "errorType": kind, "requestId": request_id or "",
                "stackTrace": trace}
    return kind, document


def log_error(document, request_id):
    if IS_JSON:
        line = {"timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "level": "ERROR",
                "message": document["errorMessage"], "errorType": document["errorType"],
                "errorMessage": document["errorMessage"], "stackTrace": document["stackTrace"],
                "requestId": request_id or ""}
        print(json.dumps(line, ensure_ascii=False))
        return
    text = f"[ERROR] {document['errorType']}: {document['errorMessage']}"
    if document["stackTrace"]:
        text += "\nTraceback (most recent call last):\n" + "".join(document["stackTrace"])
    print(text.rstrip("\n").replace("\n", "\r"))


def post_error(path, error, request_id=None):
    kind, document = error_document(error, request_id)
    log_error(document, request_id)
    header = kind if kind.startswith("Runtime.") else "Function." + kind
    call("POST", path, json.dumps(document, ensure_ascii=False).encode(),
         {"Content-Type": "application/json", "Lambda-Runtime-Function-Error-Type": header})


def load_handler(name):
    root = os.environ.get("LAMBDA_TASK_ROOT", "")
    sys.path.insert(0, root if os.path.isdir(root) else os.getcwd())
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    sys.path[1:1] = [folder for folder in ("/opt/python", f"/opt/python/lib/{version}/site-packages")
                     if os.path.isdir(folder)]
    module_name, dot, function = name.rpartition(".")
    if not dot:
        raise RuntimeFailure("Runtime.MalformedHandlerName",
                             f"Bad handler '{name}': not enough values to unpack (expected 2, got 1)")
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise RuntimeFailure("Runtime.ImportModuleError",
                             f"Unable to import module '{module_name}': {error}")
    except SyntaxError as error:
        raise RuntimeFailure("Runtime.UserCodeSyntaxError",
                             f"Syntax error in module '{module_name}': {error}")
    handler = getattr(module, function, None)
    if handler is None:
        raise RuntimeFailure("Runtime.HandlerNotFound",
                             f"Handler '{function}' missing on module '{module_name}'")
    return handler


def plain(value):
    if isinstance(value, decimal.Decimal):
        return float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def marshal(result):
    try:
        return json.dumps(result, ensure_ascii=False, default=plain).encode()
    except (TypeError, ValueError) as error:
        raise RuntimeFailure("Runtime.MarshalError", f"Unable to marshal response: {error}")


def handle_next(handler):
    headers, body = call("GET", "invocation/next")
    context = Context(headers)
    request_id = LambdaFilter.request_id = context.aws_request_id
    trace = headers.get("Lambda-Runtime-Trace-Id")
    if trace:
        os.environ["_X_AMZN_TRACE_ID"] = trace
    else:
        os.environ.pop("_X_AMZN_TRACE_ID", None)
    try:
        result = marshal(handler(json.loads(body), context))
    except Exception as error:
        post_error(f"invocation/{request_id}/error", error, request_id)
        return
    call("POST", f"invocation/{request_id}/response", result, {"Content-Type": "application/json"})


def main():
    set_up_logging()
    try:
        handler = load_handler(os.environ["_HANDLER"])
    except Exception as error:
        post_error("init/error", error)
        sys.exit(1)
    while True:
        handle_next(handler)


if __name__ == "__main__":
    main()

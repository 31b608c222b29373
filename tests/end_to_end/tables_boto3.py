#!/usr/bin/python3
"""Checks a DynamoDB endpoint with boto3, a client that nobody here wrote.

Usage: tables_boto3.py --endpoint-url http://127.0.0.1:9001

Exits with 0 when every answer is as DynamoDB gives it, else with 1 and what differs.
"""
import argparse
import sys
import uuid
from decimal import Decimal

import boto3
from boto3.dynamodb.conditions import Attr, Key
from botocore.config import Config
from botocore.exceptions import ClientError


class Difference(Exception):
    """An answer that is not as it should be."""


def expect(got, expected, what):
    if got != expected:
        raise Difference(f"{what}: expected {expected!r}, got {got!r}")


def expect_refusal(code, message, call, what):
    try:
        call()
    except ClientError as error:
        expect(error.response["Error"]["Code"], code, f"{what}: the error's code")
        if message not in error.response["Error"]["Message"]:
            raise Difference(f"{what}: expected a message with {message!r}, got "
                             f"{error.response['Error']['Message']!r}") from error
        return error.response
    raise Difference(f"{what}: expected {code}, but the call succeeded")


class Endpoint:
    def __init__(self, url):
        self.session = boto3.session.Session(
            aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
        config = Config(retries={"max_attempts": 0})
        self.client = self.session.client("dynamodb", endpoint_url=url, config=config)
        self.resource = self.session.resource("dynamodb", endpoint_url=url, config=config)
        # So that a run on tables which are in use meets nobody else's.
        self.prefix = f"check-{uuid.uuid4().hex[:8]}-"

    def make_table(self, name, sort=None, partition_type="S"):
        definitions = [{"AttributeName": "k", "AttributeType": partition_type}]
        schema = [{"AttributeName": "k", "KeyType": "HASH"}]
        if sort:
            definitions.append({"AttributeName": "s", "AttributeType": sort})
            schema.append({"AttributeName": "s", "KeyType": "RANGE"})
        table = self.resource.create_table(
            TableName=self.prefix + name, AttributeDefinitions=definitions, KeySchema=schema,
            BillingMode="PAY_PER_REQUEST")
        table.wait_until_exists()
        return table


def check_table_life(endpoint):
    client = endpoint.client
    name = endpoint.prefix + "life"
    arguments = dict(
        TableName=name, AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        ProvisionedThroughput={"ReadCapacityUnits": 2, "WriteCapacityUnits": 3})
    client.create_table(**arguments)
    expect_refusal("ResourceInUseException", "Table already exists",
                   lambda: client.create_table(**arguments), "creating a table twice")
    table = client.describe_table(TableName=name)["Table"]
    expect(table["TableStatus"], "ACTIVE", "the status of a new table")
    expect(table["KeySchema"], arguments["KeySchema"], "the key schema")
    expect(table["ProvisionedThroughput"]["WriteCapacityUnits"], 3, "the write units")
    expect(table["ItemCount"], 0, "the number of items")
    names = [n for page in client.get_paginator("list_tables").paginate()
             for n in page["TableNames"]]
    expect(name in names, True, "the new table among the names")
    client.update_time_to_live(TableName=name, TimeToLiveSpecification={
        "AttributeName": "ttl", "Enabled": True})
    expect(client.describe_time_to_live(TableName=name)["TimeToLiveDescription"],
           {"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"}, "the time to live")
    client.delete_table(TableName=name)
    client.get_waiter("table_not_exists").wait(TableName=name)
    expect_refusal("ResourceNotFoundException", "not found",
                   lambda: client.describe_table(TableName=name), "describing a deleted table")
    expect_refusal("ResourceNotFoundException", "Requested resource not found",
                   lambda: client.get_item(TableName=name, Key={"k": {"S": "1"}}),
                   "reading from a deleted table")


def check_values(endpoint):
    table = endpoint.make_table("values")
    item = {
        "k": "values", "text": "h\u00e9llo \"w\u00f6rld\" \U0001f600\n", "empty": "",
        "number": Decimal("12345678901234567890.123456789012345678"), "zero": Decimal("0"),
        "tiny": Decimal("1E-128"), "large": Decimal("9.9E+37"), "yes": True, "no": False,
        "nothing": None, "list": [Decimal("1"), "two", [True], {"x": None}],
        "map": {"a": {"b": ["c"]}}, "strings": {"a", "b"}, "numbers": {Decimal("1.5"), Decimal("-2")},
        "empty_list": [], "empty_map": {}}
    table.put_item(Item=item)
    expect(table.get_item(Key={"k": "values"})["Item"], item, "an item of every type")
    bytes_item = {"k": "bytes", "bytes": bytes(range(256)), "sets": {b"\x00", b"\xff"}}
    table.put_item(Item=bytes_item)
    got = table.get_item(Key={"k": "bytes"})["Item"]
    expect(bytes(got["bytes"].value), bytes(range(256)), "binary")
    expect({b.value for b in got["sets"]}, bytes_item["sets"], "a set of binaries")
    client = endpoint.client
    client.put_item(TableName=table.name, Item={"k": {"S": "raw"}, "n": {"N": "+001.50e1"}})
    expect(client.get_item(TableName=table.name, Key={"k": {"S": "raw"}})["Item"]["n"], {"N": "15"},
           "a normalised number")
    # Plain digits, as DynamoDB sends them; boto3's own type would refuse more than 38 of them.
    client.put_item(TableName=table.name, Item={"k": {"S": "raw"}, "n": {"N": "9.9E+125"}})
    expect(client.get_item(TableName=table.name, Key={"k": {"S": "raw"}})["Item"]["n"],
           {"N": "99" + "0" * 124}, "a large number")
    numbers = endpoint.make_table("numbers", partition_type="N")
    numbers.put_item(Item={"k": Decimal("1.0"), "v": "x"})
    expect(numbers.get_item(Key={"k": 1}).get("Item"), {"k": Decimal("1"), "v": "x"},
           "a number as key")
    for bad, message in (("abc", "cannot be converted to a numeric value: abc"),
                         ("1e126", "Number overflow"), ("1e-131", "Number underflow"),
                         ("1" * 39, "more than 38 significant digits")):
        expect_refusal("ValidationException", message, lambda value=bad: client.put_item(
            TableName=table.name, Item={"k": {"S": "bad"}, "n": {"N": value}}), f"number {bad}")
    expect_refusal("ValidationException", "Item size has exceeded the maximum allowed size",
                   lambda: table.put_item(Item={"k": "big", "v": "x" * 409600}), "a large item")


def check_writes(endpoint):
    table = endpoint.make_table("writes")
    expect("Attributes" in table.put_item(Item={"k": "1", "n": 1}, ReturnValues="ALL_OLD"), False,
           "the old values of a new item")
    expect(table.put_item(Item={"k": "1", "n": 2}, ReturnValues="ALL_OLD")["Attributes"],
           {"k": "1", "n": Decimal(1)}, "the old values of a replaced item")
    failed = "The conditional request failed"
    expect_refusal("ConditionalCheckFailedException", failed, lambda: table.put_item(
        Item={"k": "1"}, ConditionExpression=Attr("k").not_exists()), "a condition that fails")
    try:
        table.put_item(Item={"k": "1"}, ConditionExpression=Attr("n").gt(5))
        raise Difference("a condition that fails: the call succeeded")
    except endpoint.client.exceptions.ConditionalCheckFailedException:
        pass
    updated = table.update_item(
        Key={"k": "1"}, ReturnValues="ALL_NEW",
        UpdateExpression="SET n = n + :d, #l = list_append(if_not_exists(#l, :none), :item), "
                         "#m = :m REMOVE gone",
        ConditionExpression="n = :two", ExpressionAttributeNames={"#l": "list", "#m": "map"},
        ExpressionAttributeValues={":d": Decimal("0.5"), ":none": [], ":item": ["x"], ":two": 2,
                                   ":m": {"a": 1}})
    expect(updated["Attributes"],
           {"k": "1", "n": Decimal("2.5"), "list": ["x"], "map": {"a": Decimal(1)}},
           "an updated item")
    updated = table.update_item(
        Key={"k": "1"}, ReturnValues="UPDATED_NEW",
        UpdateExpression="SET #m.b = :b ADD hits :one, tags :tags",
        ExpressionAttributeNames={"#m": "map"},
        ExpressionAttributeValues={":b": "y", ":one": 1, ":tags": {"a", "b"}})
    expect(updated["Attributes"],
           {"map": {"b": "y"}, "hits": Decimal(1), "tags": {"a", "b"}}, "what an update wrote")
    table.update_item(Key={"k": "1"}, UpdateExpression="DELETE tags :tags REMOVE #m.a",
                      ExpressionAttributeNames={"#m": "map"},
                      ExpressionAttributeValues={":tags": {"a"}})
    expect(table.get_item(Key={"k": "1"}, ProjectionExpression="tags, #m",
                          ExpressionAttributeNames={"#m": "map"})["Item"],
           {"tags": {"b"}, "map": {"b": "y"}}, "what is left after DELETE and REMOVE")
    expect_refusal("ValidationException", "Invalid UpdateExpression: Syntax error",
                   lambda: table.update_item(Key={"k": "1"}, UpdateExpression="SET"), "half a SET")
    expect_refusal("ValidationException", "reserved keyword: name",
                   lambda: table.update_item(Key={"k": "1"}, UpdateExpression="REMOVE name"),
                   "a reserved word")
    expect_refusal("ValidationException", "This attribute is part of the key",
                   lambda: table.update_item(Key={"k": "1"}, UpdateExpression="REMOVE k"),
                   "an update of the key")
    expect_refusal("ValidationException", "does not match the schema",
                   lambda: table.get_item(Key={"x": "1"}), "a wrong key")
    expect(table.delete_item(Key={"k": "1"}, ReturnValues="ALL_OLD")["Attributes"]["n"],
           Decimal("2.5"), "the old values of a deleted item")
    expect("Item" in table.get_item(Key={"k": "1"}), False, "a deleted item")


def check_reads(endpoint):
    table = endpoint.make_table("reads", sort="N")
    for sort in (10, Decimal("2.5"), -3, 0, 7):
        table.put_item(Item={"k": "p", "s": sort, "even": sort % 2 == 0})
    table.put_item(Item={"k": "q", "s": 1, "even": False})

    def sorts(**arguments):
        return [item["s"] for item in table.query(**arguments)["Items"]]

    expect(sorts(KeyConditionExpression=Key("k").eq("p")),
           [-3, 0, Decimal("2.5"), 7, 10], "a partition in order")
    expect(sorts(KeyConditionExpression=Key("k").eq("p") & Key("s").between(0, 7),
                 ScanIndexForward=False), [7, Decimal("2.5"), 0], "a range from its end")
    expect(sorts(KeyConditionExpression=Key("k").eq("p") & Key("s").lt(0)), [-3], "below a bound")
    answer = table.query(KeyConditionExpression=Key("k").eq("p"), Limit=3,
                         FilterExpression=Attr("even").eq(True))
    expect((answer["Count"], answer["ScannedCount"], answer["LastEvaluatedKey"]),
           (1, 3, {"k": "p", "s": Decimal("2.5")}), "a limited page")
    rest = table.query(KeyConditionExpression=Key("k").eq("p"),
                       ExclusiveStartKey=answer["LastEvaluatedKey"])
    expect([item["s"] for item in rest["Items"]], [7, 10], "the page after it")
    pages = endpoint.client.get_paginator("scan").paginate(
        TableName=table.name, PaginationConfig={"PageSize": 2})
    found = sorted(float(item["s"]["N"]) for page in pages for item in page["Items"])
    expect(found, [-3, 0, 1, 2.5, 7, 10], "a scan in pages")
    halves = [table.scan(Segment=n, TotalSegments=2)["Count"] for n in (0, 1)]
    expect(sum(halves), 6, "a scan in segments")
    expect(table.scan(FilterExpression=Attr("k").begins_with("q"), Select="COUNT")["Count"], 1,
           "a filtered count")
    expect_refusal("ValidationException", "Query condition missed key schema element: k",
                   lambda: table.query(KeyConditionExpression=Key("s").eq(1)), "no partition")
    expect_refusal("ValidationException", "does not have the specified index",
                   lambda: table.query(IndexName="none", KeyConditionExpression=Key("k").eq("p")),
                   "an index that is not there")


def check_refusals(endpoint):
    client = endpoint.client
    expect_refusal("UnknownOperationException", "",
                   lambda: client.list_backups(), "an operation that is not there")
    expect_refusal("ValidationException", "failed to satisfy constraint",
                   lambda: client.get_item(TableName="no spaces", Key={"k": {"S": "1"}}),
                   "a table name with a space")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--endpoint-url", required=True)
    endpoint = Endpoint(parser.parse_args().endpoint_url)
    failures = 0
    for check in (check_table_life, check_values, check_writes, check_reads, check_refusals):
        try:
            check(endpoint)
            print(f"ok {check.__name__}")
        except Exception as error:  # every check is to be run and reported
            failures += 1
            print(f"FAILED {check.__name__}: {type(error).__name__}: {error}", file=sys.stderr)
    for name in endpoint.client.list_tables()["TableNames"]:
        if name.startswith(endpoint.prefix):
            endpoint.client.delete_table(TableName=name)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()

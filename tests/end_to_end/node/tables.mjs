// What the AWS SDK for JavaScript expects of DynamoDB, with its document client. The endpoint and
// the credentials come from the environment, as the SDK finds them.
import assert from 'node:assert/strict'
import {
  ConditionalCheckFailedException,
  CreateTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  ResourceNotFoundException,
  TransactionCanceledException,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb'
import {
  BatchGetCommand,
  BatchWriteCommand,
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  paginateQuery,
  paginateScan,
  PutCommand,
  TransactGetCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb'

const client = new DynamoDBClient({ maxAttempts: 1 })
const documents = DynamoDBDocumentClient.from(client)
const TableName = 'songs'

await client.send(new CreateTableCommand({
  TableName,
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [
    { AttributeName: 'artist', AttributeType: 'S' },
    { AttributeName: 'year', AttributeType: 'N' },
    { AttributeName: 'genre', AttributeType: 'S' },
  ],
  KeySchema: [
    { AttributeName: 'artist', KeyType: 'HASH' },
    { AttributeName: 'year', KeyType: 'RANGE' },
  ],
  GlobalSecondaryIndexes: [{
    IndexName: 'by-genre',
    KeySchema: [
      { AttributeName: 'genre', KeyType: 'HASH' },
      { AttributeName: 'year', KeyType: 'RANGE' },
    ],
    Projection: { ProjectionType: 'ALL' },
  }],
}))
await waitUntilTableExists({ client, maxWaitTime: 5, minDelay: 1 }, { TableName })

const song = {
  artist: 'Å', year: 1999, genre: 'jazz', length: 3.25, tags: new Set(['a', 'b']),
  cover: new Uint8Array([0, 255, 1]), nested: { list: [1, 'two', null, true, { deep: [] }] }, note: '',
}
await documents.send(new PutCommand({ TableName, Item: song }))
const got = await documents.send(new GetCommand({ TableName, Key: { artist: 'Å', year: 1999 } }))
assert.deepEqual(got.Item, song)

const updated = await documents.send(new UpdateCommand({
  TableName,
  Key: { artist: 'Å', year: 1999 },
  UpdateExpression: 'SET nested.#l[1] = :two, plays = if_not_exists(plays, :zero) + :one REMOVE note',
  ExpressionAttributeNames: { '#l': 'list' },
  ExpressionAttributeValues: { ':two': 2, ':zero': 0, ':one': 1 },
  ReturnValues: 'ALL_NEW',
}))
assert.equal(updated.Attributes.nested.list[1], 2)
assert.equal(updated.Attributes.plays, 1)
assert.equal('note' in updated.Attributes, false)

await assert.rejects(
  documents.send(new PutCommand({
    TableName, Item: song, ConditionExpression: 'attribute_not_exists(artist)',
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  })),
  (error) => error instanceof ConditionalCheckFailedException && error.Item.plays.N === '1')

const years = Array.from({ length: 60 }, (_, i) => 1900 + i)
for (let at = 0; at < years.length; at += 25) {
  const answer = await documents.send(new BatchWriteCommand({
    RequestItems: {
      [TableName]: years.slice(at, at + 25).map((year) => (
        { PutRequest: { Item: { artist: 'B', year, genre: year % 2 ? 'odd' : 'even' } } })),
    },
  }))
  assert.deepEqual(answer.UnprocessedItems, {})
}
const found = []
for await (const page of paginateQuery({ client: documents, pageSize: 7 }, {
  TableName, IndexName: 'by-genre', ScanIndexForward: false,
  KeyConditionExpression: 'genre = :g AND #y BETWEEN :from AND :to',
  ExpressionAttributeNames: { '#y': 'year' },
  ExpressionAttributeValues: { ':g': 'even', ':from': 1910, ':to': 1940 },
})) {
  found.push(...page.Items.map((item) => item.year))
}
assert.deepEqual(found, Array.from({ length: 16 }, (_, i) => 1940 - 2 * i))

let scanned = 0
for (const Segment of [0, 1, 2]) {
  for await (const page of paginateScan({ client: documents }, { TableName, TotalSegments: 3, Segment, Limit: 9 })) {
    scanned += page.Items.length
  }
}
assert.equal(scanned, 61)

const batch = await documents.send(new BatchGetCommand({
  RequestItems: { [TableName]: { Keys: [{ artist: 'B', year: 1900 }, { artist: 'none', year: 1 }] } },
}))
assert.deepEqual(batch.Responses[TableName], [{ artist: 'B', year: 1900, genre: 'even' }])

const transaction = {
  ClientRequestToken: 'once',
  TransactItems: [
    { Update: {
      TableName, Key: { artist: 'Å', year: 1999 }, UpdateExpression: 'ADD plays :one',
      ExpressionAttributeValues: { ':one': 1 } } },
    { Delete: { TableName, Key: { artist: 'B', year: 1900 } } },
    { ConditionCheck: {
      TableName, Key: { artist: 'B', year: 1901 }, ConditionExpression: 'attribute_exists(genre)' } },
  ],
}
await documents.send(new TransactWriteCommand(transaction))
await documents.send(new TransactWriteCommand(transaction))
const read = await documents.send(new TransactGetCommand({
  TransactItems: [
    { Get: { TableName, Key: { artist: 'Å', year: 1999 }, ProjectionExpression: 'plays' } },
    { Get: { TableName, Key: { artist: 'B', year: 1900 } } },
  ],
}))
assert.deepEqual(read.Responses, [{ Item: { plays: 2 } }, {}])
await assert.rejects(
  documents.send(new TransactWriteCommand({
    TransactItems: [
      { Put: { TableName, Item: { artist: 'C', year: 1 } } },
      { ConditionCheck: {
        TableName, Key: { artist: 'D', year: 1 }, ConditionExpression: 'attribute_exists(artist)' } },
    ],
  })),
  (error) => error instanceof TransactionCanceledException &&
    error.CancellationReasons.map((reason) => reason.Code).join() === 'None,ConditionalCheckFailed')

await documents.send(new DeleteCommand({ TableName, Key: { artist: 'Å', year: 1999 } }))
const described = await client.send(new DescribeTableCommand({ TableName }))
assert.equal(described.Table.ItemCount, 59)
assert.equal(described.Table.GlobalSecondaryIndexes[0].ItemCount, 59)
await assert.rejects(
  documents.send(new GetCommand({ TableName: 'nowhere', Key: { k: 1 } })),
  (error) => error instanceof ResourceNotFoundException)
console.log('ok')

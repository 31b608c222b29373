// What the AWS SDK for JavaScript expects of Lambda. The endpoint and the credentials come from
// the environment, as the SDK finds them; the packages lie in the folder that PACKAGES names.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import {
  CreateAliasCommand,
  CreateFunctionCommand,
  DeleteFunctionCommand,
  DeleteLayerVersionCommand,
  GetAliasCommand,
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  GetLayerVersionCommand,
  InvalidParameterValueException,
  InvokeCommand,
  InvokeWithResponseStreamCommand,
  LambdaClient,
  paginateListFunctions,
  paginateListVersionsByFunction,
  PreconditionFailedException,
  PublishLayerVersionCommand,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
  DeleteFunctionConcurrencyCommand,
  ResourceConflictException,
  ResourceNotFoundException,
  TooManyRequestsException,
  UpdateAliasCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionActiveV2,
  waitUntilFunctionExists,
  waitUntilFunctionUpdatedV2,
  waitUntilPublishedVersionActive,
} from '@aws-sdk/client-lambda'

const client = new LambdaClient({ maxAttempts: 1 })
const send = (command) => client.send(command)
const packed = (name) => readFileSync(`${process.env.PACKAGES}/${name}.zip`)
const text = (bytes) => new TextDecoder().decode(bytes)
const FunctionName = 'sdk'
const Role = 'arn:aws:iam::123456789012:role/test'
const waiting = { client, maxWaitTime: 30, minDelay: 1, maxDelay: 1 }

// Creating and waiting.
const created = await send(new CreateFunctionCommand({
  FunctionName, Role, Runtime: 'provided.al2023', Handler: 'bootstrap', Timeout: 10,
  Code: { ZipFile: packed('one') }, Environment: { Variables: { WORD: 'first' } }, Tags: { team: 'blue' },
}))
assert.equal(created.State, 'Pending')
await waitUntilFunctionExists(waiting, { FunctionName })
await waitUntilFunctionActiveV2(waiting, { FunctionName })
const got = await send(new GetFunctionCommand({ FunctionName }))
assert.equal(got.Configuration.State, 'Active')
assert.equal(got.Configuration.CodeSha256, created.CodeSha256)
assert.deepEqual(got.Tags, { team: 'blue' })
await assert.rejects(
  send(new CreateFunctionCommand({
    FunctionName, Role, Runtime: 'provided.al2023', Handler: 'bootstrap', Code: { ZipFile: packed('one') } })),
  (error) => error instanceof ResourceConflictException && error.$metadata.httpStatusCode === 409 &&
    error.message.includes('Function already exist'))

// Invoking.
const invoke = async (payload, settings = {}) => {
  const answer = await send(new InvokeCommand({ FunctionName, Payload: JSON.stringify(payload), ...settings }))
  return { ...answer, body: answer.Payload?.length ? JSON.parse(text(answer.Payload)) : undefined }
}
const first = await invoke({ a: 'ä' }, { LogType: 'Tail' })
assert.equal(first.StatusCode, 200)
assert.equal(first.ExecutedVersion, '$LATEST')
assert.deepEqual(first.body, { one: { a: 'ä' }, word: 'first' })
assert.match(Buffer.from(first.LogResult, 'base64').toString(), /REPORT RequestId: .*Init Duration/)
const failed = await invoke({ fail: true })
assert.equal(failed.FunctionError, 'Unhandled')
assert.equal(failed.body.errorType, 'Oops')
assert.equal((await invoke({}, { InvocationType: 'Event' })).StatusCode, 202)
assert.equal((await invoke({}, { InvocationType: 'DryRun' })).StatusCode, 204)
await assert.rejects(
  send(new InvokeCommand({ FunctionName, Payload: JSON.stringify('x'.repeat(6 * 1024 * 1024 + 1)) })),
  (error) => error.$metadata.httpStatusCode === 413 && error.name === 'RequestEntityTooLargeException')

// Streaming: the first piece is here before the last is made.
const streamed = await send(new InvokeWithResponseStreamCommand({ FunctionName, Payload: '{"stream":3}' }))
const pieces = []
let complete
for await (const event of streamed.EventStream) {
  if (event.PayloadChunk) pieces.push(text(event.PayloadChunk.Payload))
  if (event.InvokeComplete) complete = event.InvokeComplete
}
assert.equal(pieces.join(''), 'piece 0;piece 1;piece 2;')
assert.equal(complete.ErrorCode, undefined)

// Updating and waiting, with a revision that must be right.
const { RevisionId } = await send(new GetFunctionConfigurationCommand({ FunctionName }))
await assert.rejects(
  send(new UpdateFunctionConfigurationCommand({ FunctionName, MemorySize: 256, RevisionId: 'stale' })),
  (error) => error instanceof PreconditionFailedException)
const changed = await send(new UpdateFunctionConfigurationCommand({
  FunctionName, MemorySize: 256, RevisionId, Environment: { Variables: { WORD: 'second' } } }))
assert.equal(changed.LastUpdateStatus, 'InProgress')
await waitUntilFunctionUpdatedV2(waiting, { FunctionName })
assert.equal((await invoke({})).body.word, 'second')
await assert.rejects(
  send(new UpdateFunctionConfigurationCommand({
    FunctionName, Environment: { Variables: { AWS_REGION: 'x' } } })),
  (error) => error instanceof InvalidParameterValueException && error.message.includes('AWS_REGION'))

// Versions and aliases.
const version = await send(new PublishVersionCommand({ FunctionName }))
assert.equal(version.Version, '1')
await waitUntilPublishedVersionActive(waiting, { FunctionName, Qualifier: '1' })
await send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile: packed('two') }))
await waitUntilFunctionUpdatedV2(waiting, { FunctionName })
const second = await send(new PublishVersionCommand({ FunctionName }))
await send(new CreateAliasCommand({ FunctionName, Name: 'live', FunctionVersion: '1' }))
const live = await invoke({}, { Qualifier: 'live' })
assert.equal(live.ExecutedVersion, '1')
assert.ok('one' in live.body)
await send(new UpdateAliasCommand({
  FunctionName, Name: 'live', FunctionVersion: '1', RoutingConfig: { AdditionalVersionWeights: { 2: 1 } } }))
assert.equal((await invoke({}, { Qualifier: 'live' })).ExecutedVersion, second.Version)
const alias = await send(new GetAliasCommand({ FunctionName, Name: 'live' }))
assert.deepEqual(alias.RoutingConfig.AdditionalVersionWeights, { 2: 1 })
const versions = []
for await (const page of paginateListVersionsByFunction({ client, pageSize: 1 }, { FunctionName })) {
  versions.push(...page.Versions.map((one) => one.Version))
}
assert.deepEqual(versions, ['$LATEST', '1', '2'])

// Layers.
const layer = await send(new PublishLayerVersionCommand({
  LayerName: 'words', Content: { ZipFile: packed('layer') }, CompatibleRuntimes: ['provided.al2023'] }))
assert.equal(layer.Version, 1)
await send(new UpdateFunctionConfigurationCommand({ FunctionName, Layers: [layer.LayerVersionArn] }))
await waitUntilFunctionUpdatedV2(waiting, { FunctionName })
assert.equal((await invoke({})).body.layer, 'from the layer\n')
assert.equal((await send(new GetLayerVersionCommand({ LayerName: 'words', VersionNumber: 1 }))).Version, 1)
await send(new DeleteLayerVersionCommand({ LayerName: 'words', VersionNumber: 1 }))
await assert.rejects(
  send(new GetLayerVersionCommand({ LayerName: 'words', VersionNumber: 1 })), ResourceNotFoundException)

// Throttling.
await send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 0 }))
await assert.rejects(invoke({}), (error) => error instanceof TooManyRequestsException &&
  error.Reason === 'ReservedFunctionConcurrentInvocationLimitExceeded' && error.$retryable?.throttling !== false &&
  error.$metadata.httpStatusCode === 429)
await send(new DeleteFunctionConcurrencyCommand({ FunctionName }))
assert.equal((await invoke({})).StatusCode, 200)

// Listing and deleting.
const names = []
for await (const page of paginateListFunctions({ client, pageSize: 1 }, {})) {
  names.push(...page.Functions.map((one) => one.FunctionName))
}
assert.deepEqual(names, [FunctionName])
await send(new DeleteFunctionCommand({ FunctionName }))
await assert.rejects(send(new GetFunctionCommand({ FunctionName })),
  (error) => error instanceof ResourceNotFoundException && error.$metadata.httpStatusCode === 404 &&
    error.message.startsWith('Function not found: arn:aws:lambda:us-east-1:123456789012:function:sdk'))
console.log('ok')

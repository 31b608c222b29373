// What the AWS SDK for JavaScript expects of a streamed response. The endpoint and the credentials
// come from the environment, as the SDK finds them; the function stream-aot is there.
import assert from 'node:assert/strict'
import { InvokeWithResponseStreamCommand, LambdaClient } from '@aws-sdk/client-lambda'

const client = new LambdaClient({ maxAttempts: 1 })

async function stream(event) {
  const answer = await client.send(new InvokeWithResponseStreamCommand({
    FunctionName: 'stream-aot', Payload: JSON.stringify(event), LogType: 'Tail',
  }))
  assert.equal(answer.StatusCode, 200)
  let text = ''
  let complete
  for await (const item of answer.EventStream) {
    if (item.PayloadChunk) text += Buffer.from(item.PayloadChunk.Payload).toString()
    if (item.InvokeComplete) complete = item.InvokeComplete
  }
  return { text, complete }
}

const whole = await stream({ rows: 3 })
assert.equal(whole.text, '1,1\n2,4\n3,9\n')
assert.equal(whole.complete.ErrorCode, undefined)
assert.match(Buffer.from(whole.complete.LogResult, 'base64').toString(), /REPORT RequestId/)

const broken = await stream({ rows: 3, fail_after: 1 })
assert.equal(broken.text, '1,1\n')
assert.equal(broken.complete.ErrorCode, 'Function.ExportFailed')
assert.match(broken.complete.ErrorDetails, /broke off after row 1/)

console.log('ok')

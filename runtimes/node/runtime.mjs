// Runs Lambda functions written for Node.js: finds the handler, takes events from the Runtime API,
// hands them over, and posts what comes of them.
import { get } from './api.mjs'
import { errorDocument, errorType, post, postError } from './errors.mjs'
import { logError, patchConsole, setRequestId } from './console.mjs'
import { loadHandler } from './loader.mjs'
import { provideStreaming, run, runStreaming, isStreaming } from './invoke.mjs'

function context(headers) {
  const json = (name) => (headers[name] ? JSON.parse(headers[name]) : undefined)
  const deadline = Number(headers['lambda-runtime-deadline-ms'])
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    awsRequestId: headers['lambda-runtime-aws-request-id'],
    clientContext: json('lambda-runtime-client-context'),
    identity: json('lambda-runtime-cognito-identity'),
    getRemainingTimeInMillis: () => deadline - Date.now(),
  }
}

// While an event is handled: where an error that nobody caught belongs.
let current

async function die(kind, error) {
  logError(kind, error)
  const path = current ? `invocation/${current}/error` : 'init/error'
  await postError(path, error).catch(() => {})
  process.exit(current ? 129 : 1)
}
process.on('uncaughtException', (error) => die('Uncaught Exception', error))
process.on('unhandledRejection', (reason) => {
  const error = reason instanceof Error ? reason : new Error(String(reason))
  die('Unhandled Promise Rejection', Object.assign(new Error(`${error.name}: ${error.message}`, { cause: error }),
    { name: 'Runtime.UnhandledPromiseRejection', stack: error.stack }))
})

patchConsole()
provideStreaming()
let handler
try {
  handler = await loadHandler(process.env.LAMBDA_TASK_ROOT, process.env._HANDLER)
} catch (error) {
  await die('Uncaught Exception', error)
}

async function handleNext() {
  const { headers, body } = await get('invocation/next')
  const requestId = headers['lambda-runtime-aws-request-id']
  current = requestId
  setRequestId(requestId)
  const trace = headers['lambda-runtime-trace-id']
  if (trace) process.env._X_AMZN_TRACE_ID = trace
  else delete process.env._X_AMZN_TRACE_ID
  const about = context(headers)
  try {
    const event = JSON.parse(body)
    if (isStreaming(handler)) await runStreaming(handler, event, about)
    else await post(`invocation/${requestId}/response`, await run(handler, event, about))
  } catch (error) {
    logError('Invoke Error', error)
    await postError(`invocation/${requestId}/error`, error)
  }
  current = undefined
}

// From a fresh turn each time, so that 'beforeExit' can be seen in between.
function loop() {
  handleNext().then(() => setImmediate(loop), (error) => {
    console.error(errorType(error), errorDocument(error).errorMessage)
    process.exit(1)
  })
}
loop()

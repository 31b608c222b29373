// Runs handlers: async ones, ones with a callback, and ones that stream their response.
import { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { answer, open } from './api.mjs'
import { errorDocument, errorHeaders } from './errors.mjs'

const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming')
const HTTP_INTEGRATION = 'application/vnd.awslambda.http-integration-response'

export function isStreaming(handler) {
  return handler[STREAMING] !== undefined
}

// The result of a handler. A callback's error counts at once, its result too, or, as long as
// context.callbackWaitsForEmptyEventLoop is true, when nothing else is left to do. A handler that
// never answers has null for a result when nothing is left to do.
export function run(handler, event, context) {
  return new Promise((resolve, reject) => {
    let settle = () => resolve(null)
    const drained = () => settle()
    process.once('beforeExit', drained)
    const now = (how) => {
      process.removeListener('beforeExit', drained)
      how()
    }
    const callback = (error, result) => {
      const how = () => (error === undefined || error === null ? resolve(result) : reject(error))
      settle = how
      const failed = error !== undefined && error !== null
      if (failed || !context.callbackWaitsForEmptyEventLoop) now(how)
    }
    const done = (error, result) => {
      context.callbackWaitsForEmptyEventLoop = false
      callback(error, result)
    }
    Object.assign(context, { done, succeed: (result) => done(null, result), fail: (error) => done(error ?? 'handled') })
    try {
      const returned = handler(event, context, callback)
      if (typeof returned?.then === 'function') {
        returned.then((result) => now(() => resolve(result)), (error) => now(() => reject(error)))
      }
    } catch (error) {
      now(() => reject(error))
    }
  })
}

// What a streaming handler writes to; the response begins with the first byte.
class ResponseStream extends Writable {
  #requestId
  #request
  #answered
  #type = 'application/octet-stream'
  #prelude

  constructor(requestId) {
    super()
    this.#requestId = requestId
  }
  setContentType(type) {
    this.#type = type
  }
  // JSON that comes before the body, with NUL bytes between them.
  setPrelude(prelude) {
    this.#type = HTTP_INTEGRATION
    this.#prelude = Buffer.concat([Buffer.from(JSON.stringify(prelude)), Buffer.alloc(8)])
  }
  get begun() {
    return this.#request !== undefined
  }
  #begin() {
    if (this.#request) return
    this.#request = open('POST', `invocation/${this.#requestId}/response`, {
      'Content-Type': this.#type, 'Transfer-Encoding': 'chunked',
      'Lambda-Runtime-Function-Response-Mode': 'streaming',
      Trailer: 'Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body' })
    this.#answered = answer(this.#request)
    this.#answered.catch((error) => this.destroy(error))
    if (this.#prelude) this.#request.write(this.#prelude)
    else this.#request.flushHeaders()
  }
  _write(chunk, encoding, done) {
    this.#begin()
    this.#request.write(chunk, encoding, done)
  }
  _final(done) {
    this.#begin()
    this.#request.end()
    this.#answered.then(() => done(), done)
  }
  // Ends a response that has begun with what went wrong.
  async failWith(error) {
    this.#request.addTrailers({
      'Lambda-Runtime-Function-Error-Type': errorHeaders(error)['Lambda-Runtime-Function-Error-Type'],
      'Lambda-Runtime-Function-Error-Body': Buffer.from(JSON.stringify(errorDocument(error))).toString('base64') })
    this.#request.end()
    await this.#answered
  }
}

export async function runStreaming(handler, event, context) {
  const stream = new ResponseStream(context.awsRequestId)
  stream.on('error', () => {})
  try {
    await handler(event, stream, context)
    if (!stream.writableEnded) stream.end()
    await finished(stream)
  } catch (error) {
    if (!stream.begun) throw error
    await stream.failWith(error)
  }
}

// The global that functions mark streaming handlers with.
export function provideStreaming() {
  globalThis.awslambda = {
    ...globalThis.awslambda,
    streamifyResponse(handler, options) {
      handler[STREAMING] = 'response'
      if (options?.highWaterMark) handler[Symbol.for('aws.lambda.runtime.handler.streaming.highWaterMark')] = options.highWaterMark
      return handler
    },
    HttpResponseStream: {
      from(stream, prelude) {
        stream.setPrelude(prelude)
        return stream
      },
    },
  }
}

// console as Lambda has it: each line with its time, request and level, or a JSON document.
import { Console } from 'node:console'
import { Writable } from 'node:stream'
import { format } from 'node:util'
import { errorDocument } from './errors.mjs'

const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL']
const json = process.env.AWS_LAMBDA_LOG_FORMAT?.toUpperCase() === 'JSON'
const threshold = json ? Math.max(0, LEVELS.indexOf((process.env.AWS_LAMBDA_LOG_LEVEL ?? '').toUpperCase())) : 0
let requestId

export function setRequestId(id) {
  requestId = id
}

function errorFields(error) {
  const { errorType, errorMessage, trace } = errorDocument(error)
  return { errorType, errorMessage, stackTrace: trace.slice(1) }
}

function document(level, values) {
  const line = { timestamp: new Date().toISOString(), level, requestId }
  if (values.length === 1 && typeof values[0] === 'object' && values[0] !== null && !(values[0] instanceof Error)) {
    line.message = values[0]
  } else {
    line.message = format(...values)
    const error = values.find((value) => value instanceof Error)
    if (error) Object.assign(line, errorFields(error))
  }
  try {
    return JSON.stringify(line)
  } catch {
    return JSON.stringify({ ...line, message: format(...values) })
  }
}

function write(level, values) {
  if (LEVELS.indexOf(level) < threshold) return
  if (json) {
    process.stdout.write(document(level, values) + '\n')
    return
  }
  // A line feed would begin another event.
  const text = format(...values).replaceAll('\n', '\r')
  process.stdout.write(`${new Date().toISOString()}\t${requestId ?? 'undefined'}\t${level}\t${text}\n`)
}

export function patchConsole() {
  // What console can do beyond its levels (table, dir, group) goes through log.
  const lines = new Writable({ decodeStrings: false, write(text, encoding, done) {
    write('INFO', [String(text).replace(/\n$/, '')])
    done()
  } })
  const inner = new Console({ stdout: lines })
  for (const name of ['dir', 'table', 'time', 'timeEnd', 'timeLog', 'count', 'countReset', 'group', 'groupEnd']) {
    console[name] = inner[name].bind(inner)
  }
  for (const [name, level] of Object.entries({
    log: 'INFO', info: 'INFO', debug: 'DEBUG', trace: 'TRACE', warn: 'WARN', error: 'ERROR', fatal: 'FATAL' })) {
    console[name] = (...values) => write(level, values)
  }
}

// `kind` says where it was caught: "Invoke Error" and so on.
export function logError(kind, error) {
  if (json) write('ERROR', error instanceof Error ? [kind, error] : [kind, String(error)])
  else write('ERROR', [`${kind} \t${JSON.stringify({ ...errorDocument(error), trace: undefined, stack: errorDocument(error).trace })}`])
}

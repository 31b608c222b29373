// Errors and results as Lambda's own Node.js runtime gives them.
import { send } from './api.mjs'

export function errorType(error) {
  return error instanceof Error ? error.name || 'Error' : typeof error
}

export function errorDocument(error) {
  if (!(error instanceof Error)) {
    return { errorType: typeof error, errorMessage: String(error), trace: [] }
  }
  return { errorType: errorType(error), errorMessage: error.message,
    trace: String(error.stack ?? '').split('\n') }
}

// In Lambda-Runtime-Function-Error-Type only these forms mean anything.
function headerType(error) {
  const type = errorType(error)
  return /^(Runtime|Function)\.[A-Z][A-Za-z]+$/.test(type) ? type : `Function.${type}`
}

export async function post(path, result) {
  let body
  try {
    body = JSON.stringify(result === undefined ? null : result)
  } catch (error) {
    throw Object.assign(new Error('Unable to stringify response body'), { name: 'Runtime.MarshalError', cause: error })
  }
  await send(path, body ?? 'null', { 'Content-Type': 'application/json' })
}

export function errorHeaders(error) {
  return { 'Content-Type': 'application/json', 'Lambda-Runtime-Function-Error-Type': headerType(error) }
}

export async function postError(path, error) {
  await send(path, JSON.stringify(errorDocument(error)), errorHeaders(error))
}

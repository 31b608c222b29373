// The Runtime API: one connection that stays open, and does not keep the process alive.
import http from 'node:http'

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':')
const agent = new http.Agent({ keepAlive: true, maxSockets: 2 })

export function open(method, path, headers = {}) {
  return http.request({ host, port, method, path: `/2018-06-01/runtime/${path}`, headers, agent })
}

export function answer(request) {
  return new Promise((resolve, reject) => {
    request.on('error', reject)
    request.on('response', (response) => {
      const chunks = []
      response.on('data', (chunk) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => resolve({
        status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString() }))
    })
  })
}

export function get(path) {
  const request = open('GET', path)
  const answered = answer(request)
  request.end()
  return answered
}

export async function send(path, body, headers) {
  const bytes = Buffer.from(body)
  const request = open('POST', path, { ...headers, 'Content-Length': bytes.length })
  const answered = answer(request)
  request.end(bytes)
  return answered
}

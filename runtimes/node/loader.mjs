// Finds the handler that "folder/file.function" names, in CommonJS and in modules.
import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

function failure(name, message, cause) {
  return Object.assign(new Error(message, { cause }), { name, stack: cause?.stack ?? `${name}: ${message}` })
}

function isModule(file) {
  if (file.endsWith('.mjs')) return true
  if (file.endsWith('.cjs')) return false
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    const description = path.join(folder, 'package.json')
    if (fs.existsSync(description)) return JSON.parse(fs.readFileSync(description, 'utf8')).type === 'module'
    if (folder === path.dirname(folder)) return false
  }
}

async function load(base) {
  for (const end of ['', '.js', '.mjs', '.cjs']) {
    const file = base + end
    if (!fs.existsSync(file) || fs.statSync(file).isDirectory()) continue
    if (isModule(file)) return import(pathToFileURL(file).href)
    return createRequire(file)(file)
  }
  return createRequire(base + '.js')(base)  // a folder with an index.js, or an error that says it all
}

export async function loadHandler(taskRoot, name) {
  const root = taskRoot && fs.existsSync(taskRoot) ? taskRoot : process.cwd()
  const folder = path.dirname(name)
  const match = /^([^.]+)\.(.+)$/.exec(path.basename(name))
  if (!match || name.includes('..')) throw failure('Runtime.MalformedHandlerName', 'Bad handler')
  const [, file, members] = match
  let module
  try {
    module = await load(path.resolve(root, folder, file))
  } catch (error) {
    if (error instanceof SyntaxError) {
      throw failure('Runtime.UserCodeSyntaxError', `SyntaxError: ${error.message}`, error)
    }
    if (error?.code === 'MODULE_NOT_FOUND' || error?.code === 'ERR_MODULE_NOT_FOUND') {
      throw failure('Runtime.ImportModuleError', `Error: ${error.message}`, error)
    }
    throw error
  }
  const find = (from) => members.split('.').reduce((at, member) => at?.[member], from)
  const handler = find(module) ?? find(module.default)
  if (handler === undefined) {
    throw failure('Runtime.HandlerNotFound', `${name} is undefined or not exported`)
  }
  if (typeof handler !== 'function') {
    throw failure('Runtime.HandlerNotFound', `${name} is not a function`)
  }
  return handler
}

/**
 * `node scripts/fuzz-http.mjs`: every call of the HTTP API, by Schemathesis against the served
 * OpenAPI document, and afterwards whether the shop kept its word.
 *
 * Plain Node, no dependencies. 1. Schemathesis is fetched once, into a Python environment of its
 * own under `.millrace/fuzz` (or FUZZ_CACHE). 2. The shop is a process on the embedded broker in a
 * temporary directory, which is kept if anything fails. 3. No answer may be a 5xx or otherwise than
 * declared; then every order and update that was accepted must be decided, the invariants hold, and
 * nothing be a dead letter. stdout carries one JSON line, stderr the rest.
 */

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { MissingToolError } from './kafka/jars.mjs'

const version = '4.32.5'
const pythonMin = [3, 10]
const openMaxMs = 120_000
const settleMaxMs = 60_000
const stopMaxMs = 60_000

const usage = `usage: node scripts/fuzz-http.mjs [options]
  --seconds N   how long to send requests (default 120)
  --seed N      of what is sent (default: another one each time; it is printed)
  --examples N  requests per route and phase, at most (default 50)
FUZZ_CACHE says where Schemathesis lies (default .millrace/fuzz of the project).
`

/** What is checked of each answer; what the schema cannot say may be refused (400). */
const checks = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'negative_data_rejection',
  'unsupported_method',
  'allow_header_conformance',
]

/** A query may be too long for HTTP before anybody sees that it breaks its schema. */
const configuration = `[checks.negative_data_rejection]
expected-statuses = [400, 404, 405, 409, 412, 413, 414, 415, 422, 431]
`

const root = fileURLToPath(new URL('..', import.meta.url))
const cache = resolve(process.env.FUZZ_CACHE ?? join(root, '.millrace', 'fuzz'))

class UsageError extends Error {}
/** The shop did not keep its word. */
class BrokenWordError extends Error {}

const tell = (text) => process.stderr.write(`fuzz: ${text}\n`)

/** @returns the path of its Python, with Schemathesis installed */
const environment = () => {
  const folder = join(cache, `schemathesis-${version}`)
  const [python, stamp] = [join(folder, 'bin', 'python'), join(folder, 'installed')]
  if (existsSync(stamp)) return python
  const base = findPython()
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(cache, { recursive: true })
  tell(`fetching Schemathesis ${version} (once)`)
  run(base, ['-m', 'venv', folder], 'Install its venv (Debian: apt-get install python3-venv)')
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check']
  run(python, [...pip, `schemathesis==${version}`], 'It comes from PyPI')
  writeFileSync(stamp, '') // an interrupted installation is begun anew
  return python
}

/** @throws {MissingToolError} there is none, or it is too old */
const findPython = () => {
  const code = 'import sys; print("%d.%d" % sys.version_info[:2])'
  for (const name of ['python3', 'python']) {
    const { status, stdout } = spawnSync(name, ['-c', code], { encoding: 'utf8' })
    const [major, minor] = status === 0 ? stdout.trim().split('.').map(Number) : [0, 0]
    if (major === pythonMin[0] && minor >= pythonMin[1]) return name
  }
  throw new MissingToolError(
    `Schemathesis needs Python ${pythonMin.join('.')} or newer, and there is none in PATH. `
      + 'Install it (Debian: apt-get install python3 python3-venv), or do without: '
      + 'npm test has a small fuzz of its own',
  )
}

const run = (command, args, otherwise) => {
  const { status, error, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  if (status === 0) return
  const output = `${error?.message ?? ''}${stdout}${stderr}`.trim()
  throw new MissingToolError(`${command} ${args.join(' ')} failed. ${otherwise}.\n${output}`)
}

const openShop = async (directory) => {
  const log = openSync(join(directory, 'shop.log'), 'a')
  const args = ['run', '--state-dir', join(directory, 'state'), '--port', '0', '-o', 'json']
  // who pays by transfer here never does
  const options = ['--transfer-deadline', '2s']
  const stdio = ['ignore', log, log]
  const child = spawn(join(root, 'bin', 'millrace'), [...args, ...options], { stdio })
  const ended = once(child, 'exit')
  for (const endMs = performance.now() + openMaxMs; performance.now() < endMs;) {
    const text = readFileSync(join(directory, 'shop.log'), 'utf8')
    const address = /http:\/\/[\d.]+:\d+/.exec(text)?.[0]
    if (address !== undefined) return { address, child, ended }
    if (child.exitCode !== null) throw new Error(`the shop did not start:\n${text}`)
    await sleep(100)
  }
  child.kill('SIGKILL')
  throw new Error(`the shop did not start within ${openMaxMs} ms`)
}

/** @returns whether it ended as it should */
const closeShop = async ({ child, ended }) => {
  child.kill('SIGTERM')
  const late = setTimeout(() => child.kill('SIGKILL'), stopMaxMs)
  const [exitCode] = child.exitCode === null ? await ended : [child.exitCode]
  clearTimeout(late)
  return exitCode === 0
}

const callOf = (address) => async (path, init) => {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(address + path, { headers, ...init })
  return { status: response.status, body: await response.json() }
}

/** Goods that requests may ask for: the ids of the example, and of the smallest bodies. */
const stock = async (call) => {
  const body = JSON.stringify({ operation: 'ADD', quantity: 1_000_000_000 })
  for (const id of ['tea', '0', '00']) {
    const { status } = await call(`/api/inventory/${id}`, { method: 'PUT', body })
    if (status !== 200) throw new Error(`stock of ${id}: ${status}`)
  }
}

const fuzz = async (python, { address, directory, seconds, seed, examples }) => {
  const har = join(directory, 'requests.har')
  const checked = `--checks ${checks.join(',')} --max-examples ${examples} --max-time ${seconds}`
  const how = '--request-timeout 30 --continue-on-failure --no-color --warnings off'
  const report = '--report har --output-sanitize false --report-har-path'
  const from = seed === undefined ? [] : ['--seed', seed]
  const url = `${address}/api/openapi.json`
  const args = ['-m', 'schemathesis.cli', 'run', url]
    .concat(checked.split(' '), how.split(' '), from)
    .concat(report.split(' '), har)
  writeFileSync(join(directory, 'schemathesis.toml'), configuration)
  const [status] = await once(
    spawn(python, args, { cwd: directory, stdio: ['ignore', 2, 2] }),
    'exit',
  )
  return { isGood: status === 0, entries: JSON.parse(readFileSync(har, 'utf8')).log.entries }
}

/** Where what was accepted can be looked at. */
const acceptedIn = (entries) => {
  const [orders, updates] = [new Set(), new Set()]
  for (const { request, response } of entries) {
    if (response.status !== 200 && response.status !== 202) continue
    const { pathname } = new URL(request.url)
    const location = response.headers.find(({ name }) => name.toLowerCase() === 'location')?.value
    if (location === undefined) continue
    if (request.method === 'POST' && pathname === '/api/orders') orders.add(location)
    if (location.includes('/updates/')) updates.add(location)
  }
  return { orders: [...orders], updates: [...updates] }
}

const finals = ['completed', 'rejected', 'cancelled', 'expired']

/** @throws {BrokenWordError} it is not so in time */
const untilAll = async (call, paths, isDecided) => {
  const endMs = performance.now() + settleMaxMs
  for (const path of paths) {
    let answer = await call(path)
    while (!isDecided(answer) && performance.now() < endMs) {
      await sleep(100)
      answer = await call(path)
    }
    if (isDecided(answer)) continue
    throw new BrokenWordError(`${path} was accepted, and is ${JSON.stringify(answer)}`)
  }
}

const checkShop = async (call, { orders, updates }) => {
  await untilAll(call, orders, ({ body }) => finals.includes(body.status))
  await untilAll(call, updates, ({ status }) => status === 200)
  const { body: summary } = await call('/api/summary')
  const { body: letters } = await call('/api/dlq/stats')
  const { violations } = summary.invariants
  if (violations.length > 0 || summary.open > 0 || letters.total.open > 0) {
    throw new BrokenWordError(
      `the shop is ${JSON.stringify({ ...summary, letters: letters.total })}`,
    )
  }
  return summary.outcomes
}

const number = (text, name) => {
  if (/^\d{1,9}$/.test(text)) return text
  throw new UsageError(`--${name} is a number`)
}

const options = {
  seconds: { type: 'string', default: '120' },
  examples: { type: 'string', default: '50' },
  seed: { type: 'string' },
}

const parsed = () => {
  let values
  try {
    ;({ values } = parseArgs({ options }))
  } catch (error) {
    throw new UsageError(error.message)
  }
  return Object.fromEntries(
    Object.entries(values).map(([name, text]) => [name, number(text, name)]),
  )
}

const main = async () => {
  if (process.argv.includes('--help')) return void process.stdout.write(usage)
  const settings = parsed()
  const python = environment()
  const directory = mkdtempSync(join(tmpdir(), 'millrace-fuzz-'))
  const shop = await openShop(directory)
  let isClosed = false
  try {
    const call = callOf(shop.address)
    await stock(call)
    const { isGood, entries } = await fuzz(python, { ...settings, ...shop, directory })
    const accepted = acceptedIn(entries)
    const outcomes = await checkShop(call, accepted)
    const facts = { requests: entries.length, orders: accepted.orders.length, outcomes }
    isClosed = await closeShop(shop)
    process.stdout.write(`${JSON.stringify({ isGood: isGood && isClosed, ...facts })}\n`)
    if (isGood && isClosed) rmSync(directory, { recursive: true, force: true })
    else throw new BrokenWordError(isGood ? 'the shop did not end cleanly' : 'see above')
  } catch (error) {
    tell(`the requests and the shop's log are in ${directory}`)
    throw error
  } finally {
    if (!isClosed) shop.child.kill('SIGKILL')
  }
}

try {
  await main()
} catch (error) {
  const isExpected = error instanceof MissingToolError || error instanceof BrokenWordError
  const isUsage = error instanceof UsageError
  tell(isExpected || isUsage ? error.message : error.stack)
  if (isUsage) process.stderr.write(usage)
  process.exitCode = isUsage ? 2 : 1
}

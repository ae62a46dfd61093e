/**
 * `node scripts/registry.mjs start|stop|status`: a real schema registry, Apicurio, for tests and
 * users.
 *
 * Plain Node, no dependencies, in the manner of `scripts/kafka.mjs`. 1. stdout carries one JSON
 * line, stderr the rest. 2. `start` returns when the registry answers, and leaves it running; it
 * may be called again. 3. Its schemas lie in memory: stopped, it has none. 4. A process is only
 * signalled if its command line names the directory.
 */

import { spawn, spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { argumentsOf, freePorts, isAlive } from './kafka/cluster.mjs'
import { findJava, MissingToolError, runMaven } from './kafka/jars.mjs'

const version = '3.0.9' // 3.3 needs Java 21
const startMaxMs = 90_000
const stopMaxMs = 10_000
const pollMs = 100
const copy = 'org.apache.maven.plugins:maven-dependency-plugin:3.9.0:copy'
const otherwise = 'do without: the embedded broker has a registry of its own'

const usage = `usage: node scripts/registry.mjs start|stop|status [options]
  --port N      of the API (default 18081); 0 takes a free one
  --data DIR    where its log lies (default REGISTRY_CACHE/registry-PORT)
  --owner PID   start: end it when this process ends
REGISTRY_CACHE says where the program and its log lie (default .millrace/registry of the project).
`

class UsageError extends Error {}
class RegistryError extends Error {}

const cacheDirectory = () =>
  resolve(
    process.env.REGISTRY_CACHE ?? fileURLToPath(new URL('../.millrace/registry', import.meta.url)),
  )

const start = async ({ port, owner, directory }) => {
  if (owner !== undefined) guard(directory, owner)
  const java = findJava('Apicurio', otherwise)
  const program = fetchProgram()
  const known = readFacts(directory)
  const facts =
    known !== undefined && isRunning(known)
      ? known
      : await launch({ directory, port, java, program })
  await answering(facts)
  // the guard may have looked before there was anything to end
  if (owner !== undefined && !isAlive(Number(owner))) return end(directory)
  print(facts)
}

/** The folder of the program, fetched if it is not there; appears whole or not at all. */
const fetchProgram = () => {
  const program = join(cacheDirectory(), `apicurio-${version}`)
  if (existsSync(program)) return program
  mkdirSync(cacheDirectory(), { recursive: true })
  const work = mkdtempSync(join(cacheDirectory(), 'fetch-'))
  try {
    process.stderr.write(`registry: fetching Apicurio ${version} (once)\n`)
    const artifact = `io.apicurio:apicurio-registry-app:${version}:tar.gz:all`
    const goals = [copy, `-Dartifact=${artifact}`, '-DoutputDirectory=packed']
    runMaven(goals, { directory: work, what: 'Apicurio', otherwise })
    const [archive] = readdirSync(join(work, 'packed'))
    mkdirSync(join(work, 'program'))
    const args = ['xzf', join(work, 'packed', archive), '-C', join(work, 'program')]
    const { status, stderr } = spawnSync('tar', args, { encoding: 'utf8' })
    if (status !== 0) throw new MissingToolError(`tar could not unpack ${archive}: ${stderr}`)
    try {
      renameSync(join(work, 'program'), program)
    } catch (error) {
      // another process was faster
      if (!existsSync(program)) throw error
    }
    return program
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

const launch = async ({ directory, port, java, program }) => {
  mkdirSync(directory, { recursive: true })
  const [free, managementPort] = await freePorts(2)
  const apiPort = port === 0 ? free : port
  const log = openSync(join(directory, 'log'), 'a')
  const args = [
    `-Dmillrace.directory=${directory}`,
    '-Xmx256m',
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    '-Dquarkus.http.host=127.0.0.1',
    `-Dquarkus.http.port=${apiPort}`,
    '-Dquarkus.management.host=127.0.0.1',
    `-Dquarkus.management.port=${managementPort}`,
    '-jar',
    join(program, `apicurio-registry-app-${version}-runner.jar`),
  ]
  const env = { ...process.env, APICURIO_RULES_GLOBAL_COMPATIBILITY: 'BACKWARD' }
  const options = { cwd: program, env, detached: true, stdio: ['ignore', log, log] }
  const child = spawn(java, args, options)
  child.unref()
  const url = `http://127.0.0.1:${apiPort}/apis/ccompat/v7`
  const facts = { url, pid: child.pid, directory, version }
  writeFileSync(join(directory, 'registry.json'), JSON.stringify(facts, null, 2))
  return facts
}

/** @throws {RegistryError} it does not answer in time, or died: with the end of its log */
const answering = async (facts) => {
  const endMs = performance.now() + startMaxMs
  for (;;) {
    const isUp = await fetch(`${facts.url}/subjects`).then(
      ({ ok }) => ok,
      () => false,
    )
    if (isUp) return
    if (performance.now() > endMs || !isRunning(facts)) {
      const log = readFileSync(join(facts.directory, 'log'), 'utf8').split('\n').slice(-12)
      throw new RegistryError(`the registry does not answer:\n${log.join('\n')}`)
    }
    await sleep(pollMs)
  }
}

const end = async (directory) => {
  const facts = readFacts(directory)
  if (facts === undefined || !isRunning(facts)) return 0
  process.kill(facts.pid, 'SIGTERM')
  const endMs = performance.now() + stopMaxMs
  while (isRunning(facts)) {
    if (performance.now() > endMs) process.kill(facts.pid, 'SIGKILL')
    await sleep(pollMs)
  }
  return 1
}

const readFacts = (directory) => {
  const file = join(directory, 'registry.json')
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined
}

const isRunning = ({ pid, directory }) => argumentsOf(pid).includes(directory)

const guard = (directory, owner) => {
  const args = [fileURLToPath(import.meta.url), 'guard', '--data', directory, '--owner', owner]
  spawn(process.execPath, args, { detached: true, stdio: 'ignore' }).unref()
}

const print = (facts) => process.stdout.write(`${JSON.stringify(facts)}\n`)

const commands = {
  start,
  stop: async ({ directory }) => print({ stopped: await end(directory) }),
  status: ({ directory }) => {
    const facts = readFacts(directory)
    const running = facts !== undefined && isRunning(facts)
    print({ running, ...facts })
    if (!running) process.exitCode = 1
  },
  guard: async ({ directory, owner }) => {
    while (isAlive(Number(owner))) await sleep(500)
    await end(directory)
    rmSync(directory, { recursive: true, force: true })
  },
}

const options = {
  port: { type: 'string', default: '18081' },
  data: { type: 'string' },
  owner: { type: 'string' },
}

const checked = ({ port, data, owner }) => {
  if (!/^\d{1,5}$/.test(port)) throw new UsageError('--port is a number')
  if (owner !== undefined && !/^\d+$/.test(owner)) throw new UsageError('--owner is a process id')
  if (port === '0' && data === undefined) throw new UsageError('--port 0 needs --data')
  const directory = data === undefined ? join(cacheDirectory(), `registry-${port}`) : resolve(data)
  return { port: Number(port), owner, directory }
}

const main = async () => {
  const [name = '', ...args] = process.argv.slice(2)
  if ([name, ...args].some((arg) => arg === '--help' || arg === '-h')) {
    process.stdout.write(usage)
    return
  }
  if (!Object.hasOwn(commands, name)) throw new UsageError(`unknown command '${name}'`)
  let values
  try {
    ;({ values } = parseArgs({ args, options }))
  } catch (error) {
    throw new UsageError(error.message)
  }
  await commands[name](checked(values))
}

try {
  await main()
} catch (error) {
  const isUsage = error instanceof UsageError
  const isExpected = isUsage || error instanceof RegistryError || error instanceof MissingToolError
  process.stderr.write(`registry: ${isExpected ? error.message : error.stack}\n`)
  if (isUsage) process.stderr.write(usage)
  process.exitCode = isUsage ? 2 : 1
}

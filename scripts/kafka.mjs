/**
 * `node scripts/kafka.mjs start|stop|status`: real Kafka brokers for tests, benchmarks and users.
 *
 * Plain Node, no dependencies. 1. stdout carries one JSON line, stderr the rest. 2. `start` returns
 * when the brokers answer, and leaves them running; it may be called again. 3. KAFKA_BOOTSTRAP, if
 * given, names the brokers, and nothing is started or stopped. Docker is not used: jars and a Java
 * are enough everywhere.
 */

import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import {
  clusterFacts,
  ClusterError,
  guardCluster,
  isAlive,
  readCluster,
  runningNodes,
  startCluster,
  stopCluster,
} from './kafka/cluster.mjs'
import {
  cacheDirectory,
  findJava,
  kafkaJars,
  kafkaVersion,
  MissingToolError,
} from './kafka/jars.mjs'

const usage = `usage: node scripts/kafka.mjs start|stop|status|libs [options]
  --nodes 1|3         brokers (default 1)
  --secure            TLS, SCRAM-SHA-512 and ACLs
  --proxied           a second listener per broker, for a proxy that the caller runs: it forwards
                      proxied.proxyPort, which is advertised, to proxied.port
  --only ID           start: this broker alone, of a cluster that was started before
  --port N            of the first broker (default 19092); 0 takes free ones
  --data DIR          the cluster's directory (default KAFKA_CACHE/cluster-PORT)
  --kafka-version V   default ${kafkaVersion}; 3.6 is the oldest that Millrace speaks
  --feature NAME=N    of a cluster that is made: transaction.version=1 is one upgraded to 4
  --wipe              stop: remove the data too; start: begin without any
  --owner PID         start: end the brokers and remove their data when this process ends
  --streams           libs: with kafka-streams, for the peer benchmark
KAFKA_CACHE says where jars and data lie (default .millrace/kafka of the project).
KAFKA_BOOTSTRAP names running brokers instead; then nothing is started.
`

const options = {
  nodes: { type: 'string', default: '1' },
  secure: { type: 'boolean', default: false },
  proxied: { type: 'boolean', default: false },
  only: { type: 'string' },
  port: { type: 'string', default: '19092' },
  data: { type: 'string' },
  'kafka-version': { type: 'string', default: kafkaVersion },
  feature: { type: 'string', multiple: true, default: [] },
  wipe: { type: 'boolean', default: false },
  owner: { type: 'string' },
  streams: { type: 'boolean', default: false },
}

class UsageError extends Error {}

const start = async (flags) => {
  const external = process.env.KAFKA_BOOTSTRAP
  if (external !== undefined) return print({ bootstrap: external, external: true })
  const directory = directoryOf(flags)
  // first of all: should this process be killed or fail, the guard cleans up all the same
  if (flags.owner !== undefined) guard(directory, flags.owner)
  const java = findJava()
  const version = flags['kafka-version']
  const libs = kafkaJars({ version })
  if (flags.wipe) await remove(directory)
  const known = readCluster(directory)
  const [nodeCount, port] = [Number(flags.nodes), Number(flags.port)]
  const { secure, feature: features } = flags
  const isOther =
    known !== undefined
    && (known.nodes.length !== nodeCount || known.secure !== secure || known.version !== version)
  if (isOther) {
    throw new ClusterError(
      `${directory} holds a cluster of ${known.nodes.length} node(s), Kafka ${known.version}, `
        + `${known.secure ? '' : 'not '}secured; stop it with --wipe, or name another --data`,
    )
  }
  const { proxied } = flags
  const cluster = await startCluster({
    directory,
    nodeCount,
    port,
    secure,
    proxied,
    onlyId: flags.only === undefined ? undefined : Number(flags.only),
    version,
    features,
    java,
    libs,
  })
  // the guard may have looked before there was anything to end
  if (flags.owner !== undefined && !isAlive(Number(flags.owner))) return remove(directory)
  print({ ...clusterFacts(cluster, libs), java })
}

const stop = async (flags) => {
  const directory = directoryOf(flags)
  const cluster = readCluster(directory)
  const count = cluster === undefined ? 0 : runningNodes(cluster).length
  if (cluster !== undefined) await stopCluster(cluster)
  if (flags.wipe) rmSync(directory, { recursive: true, force: true })
  print({ stopped: count })
}

const status = (flags) => {
  const cluster = readCluster(directoryOf(flags))
  const running = cluster === undefined ? [] : runningNodes(cluster)
  const facts = cluster === undefined ? {} : clusterFacts(cluster)
  print({ running: running.length, ...facts })
  if (running.length === 0) process.exitCode = 1
}

const libs = (flags) => {
  const java = findJava()
  print({ libs: kafkaJars({ version: flags['kafka-version'], streams: flags.streams }), java })
}

const remove = async (directory) => {
  const cluster = readCluster(directory)
  if (cluster !== undefined) await stopCluster(cluster)
  rmSync(directory, { recursive: true, force: true })
}

const guard = (directory, owner) => {
  const args = [fileURLToPath(import.meta.url), 'guard', '--data', directory, '--owner', owner]
  spawn(process.execPath, args, { detached: true, stdio: 'ignore' }).unref()
}

const directoryOf = ({ data, port }) =>
  data === undefined ? join(cacheDirectory(), `cluster-${port}`) : resolve(data)

const print = (facts) => process.stdout.write(`${JSON.stringify(facts)}\n`)

const commands = {
  start,
  stop,
  status,
  libs,
  guard: ({ data, owner }) => guardCluster(resolve(data), Number(owner)),
}

const checked = (values) => {
  if (!['1', '3'].includes(values.nodes)) throw new UsageError('--nodes is 1 or 3')
  if (!/^\d{1,5}$/.test(values.port)) throw new UsageError('--port is a number')
  if (values.owner !== undefined && !/^\d+$/.test(values.owner)) {
    throw new UsageError('--owner is a process id')
  }
  if (!values.feature.every((feature) => /^[a-z.]+=\d+$/.test(feature))) {
    throw new UsageError('--feature is NAME=LEVEL, as transaction.version=1')
  }
  if (values.only !== undefined && !['1', '2', '3'].includes(values.only)) {
    throw new UsageError('--only is 1, 2 or 3')
  }
  if (values.proxied && values.secure) {
    throw new UsageError('--proxied is for clusters without --secure')
  }
  if (values.port === '0' && values.data === undefined) {
    throw new UsageError('--port 0 needs --data')
  }
  return values
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
  const isExpected = isUsage || error instanceof ClusterError || error instanceof MissingToolError
  process.stderr.write(`kafka: ${isExpected ? error.message : error.stack}\n`)
  if (isUsage) process.stderr.write(usage)
  process.exitCode = isUsage ? 2 : 1
}

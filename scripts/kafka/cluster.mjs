/**
 * One to three Kafka brokers on this machine: configured, formatted, started, watched, stopped.
 *
 * Called by `scripts/kafka.mjs`. 1. A cluster lives in one directory: `cluster.json` says what it
 * is, `node-N/` holds properties, data and log. 2. Started again in the same directory it has its
 * data. 3. A process is only ever signalled if its command line names the cluster's directory.
 * 4. Brokers outlive the process that started them, unless an owner is named: then they end, and
 * their directory with them, when the owner does.
 */

import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { makeCertificates } from './certificates.mjs'
import { brokersKnown } from './probe.mjs'
import { admin, plainUser, serverProperties } from './properties.mjs'

const startMaxMs = 90_000
const stopMaxMs = 20_000
const pollMs = 100

export class ClusterError extends Error {
  name = 'ClusterError'
}

/** What was started in the directory, running or not; undefined if nothing was. */
export const readCluster = (directory) => {
  const file = join(directory, 'cluster.json')
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined
}

/** Whether a broker of the cluster runs, by node. */
export const runningNodes = (cluster) => cluster.nodes.filter((node) => isRunning(node))

/**
 * Starts the brokers and waits until all of them answer.
 *
 * @param options.directory  of the cluster; made if missing
 * @param options.nodeCount  1 or 3
 * @param options.port  of the first node, the others take the next; 0 takes any free ones
 * @param options.onlyId  start this node alone; the others are left as they are
 * @param options.proxied  with a listener more per node, which advertises the port of a proxy
 * @throws {ClusterError} they do not answer in time, or died: with the end of their log
 */
export const startCluster = async (options) => {
  const { directory, java, libs, onlyId } = options
  const cluster = readCluster(directory) ?? (await planCluster(options))
  const wanted = cluster.nodes.filter(({ id }) => onlyId === undefined || id === onlyId)
  for (const node of wanted) {
    if (isRunning(node)) continue
    if (!existsSync(join(node.directory, 'data', 'meta.properties'))) {
      formatNode(cluster, node, { java, libs })
    }
    node.pid = spawnNode(node, { java, libs, heapMb: cluster.nodes.length > 1 ? 192 : 256 })
    writeFileSync(join(directory, 'cluster.json'), JSON.stringify(cluster, null, 2))
  }
  try {
    await waitForAnswers(cluster, wanted)
  } catch (error) {
    await stopCluster(cluster)
    throw error
  }
  return cluster
}

/** Ends the brokers; their data stays. */
export const stopCluster = async (cluster) => {
  signalNodes(cluster, 'SIGTERM')
  const endMs = Date.now() + stopMaxMs
  while (runningNodes(cluster).length > 0) {
    if (Date.now() > endMs) signalNodes(cluster, 'SIGKILL')
    await sleep(pollMs)
  }
}

/** What a client must know. */
export const clusterFacts = (cluster, libs) => ({
  bootstrap: cluster.nodes
    .map(({ port }) => `${cluster.secure ? 'localhost' : '127.0.0.1'}:${port}`)
    .join(','),
  version: cluster.version,
  directory: cluster.directory,
  libs,
  nodes: cluster.nodes.map(({ id, port, pid, proxied }) => ({ id, port, pid, proxied })),
  ...(cluster.secure
    ? { secure: { ca: cluster.certificates.ca, mechanism: 'SCRAM-SHA-512', admin, plainUser } }
    : {}),
})

const planCluster = async (options) => {
  const { directory, nodeCount, port, secure, proxied, version, features } = options
  mkdirSync(directory, { recursive: true })
  const portCount = nodeCount * (proxied ? 4 : 2)
  const ports =
    port === 0 ? await freePorts(portCount) : Array.from({ length: portCount }, (_, i) => port + i)
  const nodes = Array.from({ length: nodeCount }, (_, i) => ({
    id: i + 1,
    port: ports[i],
    controllerPort: ports[nodeCount + i],
    directory: join(directory, `node-${i + 1}`),
    ...(proxied
      ? { proxied: { port: ports[2 * nodeCount + i], proxyPort: ports[3 * nodeCount + i] } }
      : {}),
  }))
  const certificates = secure ? makeCertificates(join(directory, 'certificates')) : undefined
  return { directory, version, features, secure, certificates, nodes, clusterId: clusterId() }
}

/** 22 characters of URL-safe base64, as Kafka wants; a leading dash would look like a flag. */
const clusterId = () => `K${randomBytes(16).toString('base64url').slice(1, 22)}`

export const freePorts = async (count) => {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise((resolve, reject) => {
          const server = createServer().once('error', reject)
          server.listen(0, '127.0.0.1', () => resolve(server))
        }),
    ),
  )
  const ports = servers.map((server) => server.address().port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

const formatNode = (cluster, node, { java, libs }) => {
  mkdirSync(node.directory, { recursive: true })
  const properties = join(node.directory, 'server.properties')
  writeFileSync(properties, serverProperties(cluster, node))
  const users = cluster.secure ? [admin, plainUser] : []
  const scram = users.flatMap(({ username, password }) => [
    '--add-scram',
    `SCRAM-SHA-512=[name=${username},password=${password}]`,
  ])
  const features = (cluster.features ?? []).flatMap((feature) => ['--feature', feature])
  const result = spawnSync(
    java,
    [
      '-XX:TieredStopAtLevel=1',
      '-cp',
      join(libs, '*'),
      'kafka.tools.StorageTool',
      'format',
      '-t',
      cluster.clusterId,
      '-c',
      properties,
      ...scram,
      ...features,
    ],
    { encoding: 'utf8' },
  )
  if (result.status === 0) return
  throw new ClusterError(`cannot format ${node.directory}: ${result.stderr || result.stdout}`)
}

const spawnNode = (node, { java, libs, heapMb }) => {
  const log = openSync(join(node.directory, 'broker.log'), 'a')
  const child = spawn(
    java,
    [
      `-Xmx${heapMb}m`,
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
      '-cp',
      join(libs, '*'),
      'kafka.Kafka',
      join(node.directory, 'server.properties'),
    ],
    { detached: true, stdio: ['ignore', log, log] },
  )
  child.unref()
  return child.pid
}

const waitForAnswers = async (cluster, nodes) => {
  const ca = cluster.secure ? readFileSync(cluster.certificates.ca) : undefined
  const knownMin = cluster.secure ? 1 : runningNodes(cluster).length
  const endMs = Date.now() + startMaxMs
  for (const node of nodes) {
    while ((await brokersKnown({ port: node.port, ca })) < knownMin) {
      const reason = !isRunning(node)
        ? 'ended'
        : Date.now() > endMs
          ? `does not answer on port ${node.port}`
          : undefined
      if (reason !== undefined) throw new ClusterError(`broker ${node.id} ${reason}; ${tail(node)}`)
      await sleep(pollMs)
    }
  }
}

const tail = (node) => {
  const file = join(node.directory, 'broker.log')
  const lines = readFileSync(file, 'utf8').trim().split('\n').slice(-8)
  return `${file} ends with\n${lines.join('\n')}`
}

const signalNodes = (cluster, signal) => {
  for (const node of runningNodes(cluster)) process.kill(node.pid, signal)
}

/** A pid may belong to another process by now: the command line must name our directory. */
const isRunning = (node) => node.pid !== undefined && argumentsOf(node.pid).includes(node.directory)

/** Command line of a process; empty if there is none, or it is a zombie. */
export const argumentsOf = (pid) => {
  if (process.platform !== 'linux') {
    const result = spawnSync('ps', ['-p', String(pid), '-o', 'args='], { encoding: 'utf8' })
    return result.stdout ?? ''
  }
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

/** Ends and removes the cluster when the process `ownerPid` is gone. */
export const guardCluster = async (directory, ownerPid) => {
  while (isAlive(ownerPid)) await sleep(500)
  const cluster = readCluster(directory)
  if (cluster !== undefined) await stopCluster(cluster)
  rmSync(directory, { recursive: true, force: true })
}

export const isAlive = (pid) => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

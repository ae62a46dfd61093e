/**
 * One instance of an application that a test may watch and kill: own disk, own traced connection.
 */

import type { Engine } from '../../state/engine.ts'
import { MemoryDisk } from '../../state/memory/memory-disk.ts'
import { MemoryEngine } from '../../state/memory/memory-engine.ts'
import type { Broker } from '../../src/broker/port.ts'
import type { Clock } from '../../src/clock.ts'
import { Application } from '../../src/runtime/application.ts'
import type { RuntimeConfig } from '../../src/runtime-config.ts'
import type { SchemaSession } from '../../src/schema-registry/schema-session.ts'
import type { Topology } from '../../src/topology/topology.ts'
import { connect, type Connection } from '../simulation/severable.ts'
import { type Call, traced } from './call-trace.ts'
import { loggerOf } from './written-log.ts'

const quickConfig = {
  commitIntervalMs: 20,
  commitMinIntervalMs: 1,
  sessionTimeoutMs: 600,
  heartbeatIntervalMs: 100,
} as const

export interface InstanceOptions {
  readonly topology: Topology
  readonly applicationId?: string
  readonly instanceId?: string
  readonly isStatic?: boolean
  readonly acceptsTopologyChange?: boolean
  readonly leavesOnStop?: boolean
  readonly endpoint?: string
  readonly config?: Partial<RuntimeConfig>
  /** Rows of an earlier life; a fresh disk if absent. */
  readonly disk?: MemoryDisk
  /** Instead of one over `disk`; the test closes it. */
  readonly engine?: Engine
  /** The site's if absent. */
  readonly clock?: Clock
  readonly schemaSession?: SchemaSession
}

export interface Instance {
  readonly application: Application
  readonly disk: MemoryDisk
  readonly calls: Call[]
  readonly connection: Connection
  /** Warnings and errors, in order. */
  readonly log: string[]
  readonly isDead: boolean
  /** As kill -9: no call reaches the broker any more, the disk keeps what was written. */
  kill(): void
}

export interface Launched extends Instance {
  /** What `start` answers. */
  readonly started: Promise<void>
}

export interface LaunchOptions extends InstanceOptions {
  readonly clock: Clock
  /** Dates the calls of the trace. */
  readonly traceClock: Clock
  isOut(): boolean
}

/** Makes an instance and lets its start go on by itself. */
export const launchInstance = (broker: Broker, options: LaunchOptions): Launched => {
  const { disk = new MemoryDisk(), config, applicationId = 'app', traceClock, ...rest } = options
  const [calls, log]: [Call[], string[]] = [[], []]
  const { isOut, ...given } = rest
  const connection = connect(traced(broker, { calls, nowMs: () => traceClock.nowMs(), isOut }))
  const application = new Application({
    ...given,
    applicationId,
    broker: connection.broker,
    engine: options.engine ?? MemoryEngine.create(disk),
    config: { ...quickConfig, ...config },
    logger: loggerOf(log),
  })
  let isDead = false
  const kill = (): void => {
    isDead = true
    connection.sever()
    application.kill()
    disk.crash()
  }
  const started = application.start()
  started.catch(() => {}) // who waits for it sees it
  return {
    application,
    disk,
    calls,
    connection,
    log,
    kill,
    started,
    get isDead() {
      return isDead
    },
  }
}

/** True if it runs with nothing left to do, or does not run any more. */
export const isIdle = ({ application, isDead }: Instance): boolean => {
  const { state, lagRecords, openEffects, tasks } = application.metrics()
  if (isDead || state === 'closed' || state === 'failed') return true
  return state === 'running' && openEffects === 0 && (lagRecords === 0 || tasks === 0)
}

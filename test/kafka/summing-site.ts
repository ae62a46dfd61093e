/**
 * The summing topology on a real Kafka, under an application id of its own: instances of one
 * process with a disk and a client each, entries for every partition, the sums that came out.
 */

import { randomUUID } from 'node:crypto'
import { onTestFinished } from 'vitest'
import type { MemoryDisk } from '../../state/memory/memory-disk.ts'
import { MemoryEngine } from '../../state/memory/memory-engine.ts'
import { KafkaBroker } from '../../src/broker/kafka/kafka-broker.ts'
import type { Groups } from '../../src/broker/port.ts'
import {
  aggregate,
  Application,
  type ApplicationOptions,
  json,
  keyValueStore,
  peek,
  stream,
  to,
  topic,
  topology,
  utf8,
} from '../../src/index.ts'
import { PeerQueries } from '../../src/http/peer-queries.ts'
import type { StoreReads } from '../../src/queries/store-reads.ts'
import { noHeaders } from '../../src/record.ts'
import type { RuntimeConfig } from '../../src/runtime-config.ts'
import { readTopic } from '../simulation/topics.ts'

export const partitions = 4
export const sessionTimeoutMs = 6_000

export interface SiteOptions {
  readonly bootstrap: string
  /** For the topics and the loader. */
  readonly broker: KafkaBroker
  readonly onEntry?: ((value: number) => void) | undefined
}

export interface LaunchOptions extends Pick<ApplicationOptions, 'isStatic' | 'leavesOnStop'> {
  readonly instanceId: string
  readonly config?: Partial<RuntimeConfig>
  /** Rows of an earlier life. */
  readonly disk?: MemoryDisk
}

export interface Launched {
  readonly application: Application
  /** Closes it, and its engine, so that the disk can be used again. */
  close(): Promise<void>
  /** Of each join that succeeded, in order. */
  readonly generations: readonly number[]
  /** Sums of any key, whichever instance has them. */
  readonly reads: StoreReads
}

export const summingSite = async ({ bootstrap, broker, onEntry }: SiteOptions) => {
  const id = `sum-${randomUUID().slice(0, 8)}`
  const entries = topic(`${id}-entries`, { key: utf8, value: json<number>() })
  const sums = topic(`${id}-sums`, { key: utf8, value: json<number>() })
  const store = keyValueStore('sum', { key: utf8, value: json<number>() })
  await broker.topics.create(
    [entries, sums].map(({ name }) => ({
      name,
      partitions,
      config: { cleanupPolicy: 'delete', retentionMs: -1 },
    })),
  )
  const summing = topology('summing', () => [
    stream(entries).pipe(
      peek(({ value }) => onEntry?.(value)),
      aggregate(
        store,
        () => 0,
        (sum, value) => sum + value,
      ),
      to(sums),
    ),
  ])
  /** Its `start` is not called yet. */
  const launch = async (options: LaunchOptions): Promise<Launched> => {
    const { disk, config, ...rest } = options
    const client = await KafkaBroker.open({ bootstrap })
    const generations = notedGenerations(client)
    const engine = MemoryEngine.create(disk)
    const peers = await PeerQueries.open('127.0.0.1')
    const application = new Application({
      ...rest,
      endpoint: peers.endpoint,
      applicationId: id,
      topology: summing,
      broker: client,
      engine,
      config: { sessionTimeoutMs, heartbeatIntervalMs: 300, ...config },
    })
    const reads = peers.serve(application, client)
    onTestFinished(async () => {
      application.kill()
      await peers.close()
      await client.close()
    })
    const close = async (): Promise<void> => {
      await application.close()
      await peers.close()
      await engine.close()
    }
    return { application, close, generations, reads }
  }
  const start = async (
    instanceId: string,
    config: Partial<RuntimeConfig> = {},
  ): Promise<Application> => {
    const { application } = await launch({ instanceId, config })
    await application.start()
    return application
  }
  /** One entry for each partition. */
  const send = async (value = 1): Promise<void> => {
    await broker.producer('loader').send(
      Array.from({ length: partitions }, (_, partition) => ({
        topic: entries.name,
        partition,
        records: [
          {
            key: utf8.encode(`k${partition}`),
            value: entries.value.encode(value),
            timestampMs: Date.now(),
            headers: noHeaders,
          },
        ],
      })),
    )
  }
  const sumsOf = async (): Promise<ReadonlyMap<string, readonly number[]>> => {
    const byKey = Map.groupBy(await readTopic(broker, sums), ({ key }) => key)
    return new Map([...byKey].map(([key, found]) => [key, found.map(({ value }) => value)]))
  }
  return { start, launch, send, sumsOf, store }
}

const notedGenerations = (client: KafkaBroker): readonly number[] => {
  const noted: number[] = []
  const groups = client.groups as { session: Groups['session'] }
  const open = groups.session!
  groups.session = (options) => {
    const session = open(options)
    const join = session.join.bind(session)
    session.join = async (request) => {
      const joined = await join(request)
      noted.push(joined.generationId)
      return joined
    }
    return session
  }
  return noted
}

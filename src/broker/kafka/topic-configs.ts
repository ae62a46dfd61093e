/**
 * Configurations of topics: read from the brokers, translated to the port's words, kept a while.
 *
 * `KafkaTopics` describes with it; the producers ask it what a topic refuses. 1. Entries are kept
 * for `cacheMs`; an answer that contradicts one makes the producer `forget` it. 2. A principal
 * that may not read configurations sees Kafka's defaults.
 */

import { describeConfigsV4 } from '@platformatic/kafka'
import { type CleanupPolicy, type TopicConfig } from '../port.ts'
import { type Cluster } from './cluster.ts'
import { brokerErrorOf, kafkaFailure, noError } from './errors.ts'

const topicResource = 2
const cacheMs = 300_000

const keys = {
  cleanupPolicy: 'cleanup.policy',
  retentionMs: 'retention.ms',
  maxMessageBytes: 'max.message.bytes',
  deleteRetentionMs: 'delete.retention.ms',
} as const

/** What the producers check before anything is sent. */
export interface TopicLimits {
  readonly maxMessageBytes: number
  readonly isCompacted: boolean
}

const defaultMessageBytesMax = 1_048_588
const defaults: TopicConfig = {
  cleanupPolicy: 'delete',
  retentionMs: 604_800_000,
  maxMessageBytes: defaultMessageBytesMax,
  deleteRetentionMs: 86_400_000,
}

interface Entry {
  readonly config: TopicConfig
  readonly untilMs: number
}

export class TopicConfigs {
  readonly #cluster: Cluster
  readonly #known = new Map<string, Entry>()

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  async limits(topic: string): Promise<TopicLimits> {
    const { clock } = this.#cluster
    const known = this.#known.get(topic)
    const config =
      known !== undefined && known.untilMs > clock.monotonicMs()
        ? known.config
        : ((await this.read([topic])).get(topic) ?? defaults)
    const { cleanupPolicy, maxMessageBytes = defaultMessageBytesMax } = config
    return { maxMessageBytes, isCompacted: cleanupPolicy !== 'delete' }
  }

  forget(topic: string): void {
    this.#known.delete(topic)
  }

  /** Of topics that exist; others are absent. */
  async read(topics: readonly string[]): Promise<ReadonlyMap<string, TopicConfig>> {
    const found = new Map<string, TopicConfig>()
    if (topics.length === 0) return found
    const configurationKeys = Object.values(keys)
    const { results } = await this.#cluster.ask(
      describeConfigsV4.api,
      topics.map((resourceName) => ({
        resourceType: topicResource,
        resourceName,
        configurationKeys,
      })),
      false,
      false,
    )
    const untilMs = this.#cluster.clock.monotonicMs() + cacheMs
    for (const { errorCode, errorMessage, resourceName, configs } of results) {
      const { code } = kafkaFailure(errorCode)
      if (errorCode !== noError && code === 'BROKER_UNKNOWN_TOPIC') continue
      if (errorCode !== noError && code !== 'BROKER_NOT_AUTHORIZED') {
        throw brokerErrorOf(errorCode, `configuration of ${resourceName}`, {}, errorMessage)
      }
      const config = errorCode === noError ? configOf(configs) : defaults
      found.set(resourceName, config)
      this.#known.set(resourceName, { config, untilMs })
    }
    return found
  }
}

/** For CreateTopics: what the port says, and that our timestamps are kept as they are. */
export const configEntries = (config: TopicConfig): { name: string; value: string }[] => [
  { name: keys.cleanupPolicy, value: config.cleanupPolicy },
  ...entry(keys.retentionMs, config.retentionMs),
  ...entry(keys.maxMessageBytes, config.maxMessageBytes),
  ...entry(keys.deleteRetentionMs, config.deleteRetentionMs),
  // event time: the runtime guards against the future itself, see maxFutureSkewMs
  { name: 'message.timestamp.type', value: 'CreateTime' },
  { name: 'message.timestamp.after.max.ms', value: '9223372036854775807' },
]

const entry = (name: string, value: number | undefined): { name: string; value: string }[] =>
  value === undefined ? [] : [{ name, value: String(value) }]

interface NamedValue {
  readonly name: string
  readonly value?: string | null | undefined
}

const configOf = (configs: readonly NamedValue[]): TopicConfig => {
  const values = new Map(configs.map(({ name, value }) => [name, value]))
  const numberOf = (name: string): number => Number(values.get(name))
  return {
    cleanupPolicy: policyOf(values.get(keys.cleanupPolicy) ?? 'delete'),
    retentionMs: numberOf(keys.retentionMs),
    maxMessageBytes: numberOf(keys.maxMessageBytes),
    deleteRetentionMs: numberOf(keys.deleteRetentionMs),
  }
}

const policyOf = (value: string): CleanupPolicy => {
  const isCompacted = value.includes('compact')
  if (isCompacted && value.includes('delete')) return 'compact,delete'
  return isCompacted ? 'compact' : 'delete'
}

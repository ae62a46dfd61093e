/**
 * Configurations of topics: read from the brokers, translated to the port's words, kept a while;
 * and changed.
 *
 * `KafkaTopics` describes with it; the producers ask it what a topic refuses. 1. Entries are kept
 * for `cacheMs`; an answer that contradicts one makes the producer `forget` it. 2. A principal
 * that may not read configurations sees Kafka's defaults, unless it asks for `settings`.
 */

import { describeConfigsV4, incrementalAlterConfigsV1 } from '@platformatic/kafka'
import type {
  CleanupPolicy,
  TopicCompression,
  TopicConfig,
  TopicSettings,
  TopicSettingsChange,
} from '../port.ts'
import { BrokerError } from '../errors.ts'
import { topicDefaults } from '../topic-defaults.ts'
import { adminErrorOf } from './admin-error.ts'
import type { Cluster } from './cluster.ts'
import { kafkaFailure, noError } from './errors.ts'

const topicResource = 2
const setOperation = 0
const cacheMs = 300_000
/** Brokers take note within some milliseconds. */
const shownWithinMs = 2_000

const keys = {
  cleanupPolicy: 'cleanup.policy',
  retentionMs: 'retention.ms',
  maxMessageBytes: 'max.message.bytes',
  deleteRetentionMs: 'delete.retention.ms',
  minInsyncReplicas: 'min.insync.replicas',
  compression: 'compression.type',
} as const satisfies Record<keyof TopicConfig, string>

/** What the producers check before anything is sent. */
export interface TopicLimits {
  readonly maxMessageBytes: number
  readonly isCompacted: boolean
}

interface Entry {
  readonly config: TopicSettings
  readonly readAtMs: number
}

export class TopicConfigs {
  readonly #cluster: Cluster
  readonly #known = new Map<string, Entry>()

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  /** @param ageMaxMs  what was read so long ago is read again */
  async limits(topic: string, ageMaxMs: number = cacheMs): Promise<TopicLimits> {
    const { clock } = this.#cluster
    const known = this.#known.get(topic)
    const config =
      known !== undefined && clock.monotonicMs() - known.readAtMs < ageMaxMs
        ? known.config
        : ((await this.read([topic])).get(topic) ?? topicDefaults)
    const { cleanupPolicy, maxMessageBytes } = config
    return { maxMessageBytes, isCompacted: cleanupPolicy !== 'delete' }
  }

  forget(topic: string): void {
    this.#known.delete(topic)
  }

  /** Of topics that exist; others are absent. */
  read(topics: readonly string[]): Promise<ReadonlyMap<string, TopicSettings>> {
    return this.#read(topics, topicDefaults)
  }

  /** As `Topics.settings`: the brokers' own answer, or none. */
  settings(topics: readonly string[]): Promise<ReadonlyMap<string, TopicSettings>> {
    return this.#read(topics, undefined)
  }

  /** As `Topics.changeSettings`; the broker that was asked acts by what was changed. */
  async change(changes: readonly TopicSettingsChange[]): Promise<void> {
    if (changes.length === 0) return
    const { responses } = await this.#cluster.ask(
      incrementalAlterConfigsV1.api,
      changes.map(({ name, config }) => ({
        resourceType: topicResource,
        resourceName: name,
        configs: settingEntries(config).map((set) => ({ ...set, configOperation: setOperation })),
      })),
      false,
    )
    for (const { name } of changes) this.forget(name)
    for (const { errorCode, errorMessage, resourceName: topic } of responses) {
      if (errorCode === noError) continue
      const doing = `settings of topic ${topic}`
      throw adminErrorOf(errorCode, doing, { acl: 'AlterConfigs', topic, errorMessage })
    }
    await this.#shown(changes)
  }

  /** The controller answers before brokers have taken note: who asks next would see what was. */
  async #shown(changes: readonly TopicSettingsChange[]): Promise<void> {
    const backoff = this.#cluster.backoff({ timeoutMs: shownWithinMs })
    const names = changes.map(({ name }) => name)
    const areShown = async (): Promise<boolean> => {
      const found = await this.settings(names)
      return changes.every(({ name, config }) => holds(found.get(name), config))
    }
    try {
      while (!(await areShown())) {
        await backoff.pause(new BrokerError('BROKER_UNAVAILABLE', 'the old settings are shown'))
      }
    } catch (error) {
      // changed they are, whether it can be seen or not
      if (!(error instanceof BrokerError)) throw error
      for (const name of names) this.forget(name)
    }
  }

  /** @param unreadable  what a topic is taken for whose configuration may not be read */
  async #read(
    topics: readonly string[],
    unreadable: TopicSettings | undefined,
  ): Promise<ReadonlyMap<string, TopicSettings>> {
    const found = new Map<string, TopicSettings>()
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
    const readAtMs = this.#cluster.clock.monotonicMs()
    for (const { errorCode, errorMessage, resourceName: topic, configs } of results) {
      const { code } = kafkaFailure(errorCode)
      if (errorCode !== noError && code === 'BROKER_UNKNOWN_TOPIC') continue
      const config = errorCode === noError ? configOf(configs) : unreadable
      if (config === undefined || (errorCode !== noError && code !== 'BROKER_NOT_AUTHORIZED')) {
        const doing = `configuration of topic ${topic}`
        throw adminErrorOf(errorCode, doing, { acl: 'DescribeConfigs', topic, errorMessage })
      }
      found.set(topic, config)
      this.#known.set(topic, { config, readAtMs })
    }
    return found
  }
}

interface ConfigEntry {
  name: string
  value: string
}

/** For CreateTopics: what the port says, and that our timestamps are kept as they are. */
export const configEntries = (config: TopicConfig): ConfigEntry[] => [
  ...settingEntries(config),
  // event time: the runtime guards against the future itself, see maxFutureSkewMs
  { name: 'message.timestamp.type', value: 'CreateTime' },
  { name: 'message.timestamp.after.max.ms', value: '9223372036854775807' },
]

const settingEntries = (config: Partial<TopicConfig>): ConfigEntry[] =>
  Object.entries(keys).flatMap(([setting, name]) => {
    const value = config[setting as keyof TopicConfig]
    return value === undefined ? [] : [{ name, value: String(value) }]
  })

const holds = (found: TopicSettings | undefined, wanted: Partial<TopicConfig>): boolean =>
  Object.entries(wanted).every(([name, value]) => found?.[name as keyof TopicConfig] === value)

interface NamedValue {
  readonly name: string
  readonly value?: string | null | undefined
}

const configOf = (configs: readonly NamedValue[]): TopicSettings => {
  const values = new Map(configs.map(({ name, value }) => [name, value]))
  const numberOf = (name: string): number => Number(values.get(name))
  return {
    cleanupPolicy: policyOf(values.get(keys.cleanupPolicy) ?? 'delete'),
    retentionMs: numberOf(keys.retentionMs),
    maxMessageBytes: numberOf(keys.maxMessageBytes),
    deleteRetentionMs: numberOf(keys.deleteRetentionMs),
    minInsyncReplicas: numberOf(keys.minInsyncReplicas),
    compression: (values.get(keys.compression) ?? 'producer') as TopicCompression,
  }
}

const policyOf = (value: string): CleanupPolicy => {
  const isCompacted = value.includes('compact')
  if (isCompacted && value.includes('delete')) return 'compact,delete'
  return isCompacted ? 'compact' : 'delete'
}

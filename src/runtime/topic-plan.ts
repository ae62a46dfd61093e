/**
 * The topology against the cluster: which topics exist, with how many partitions, who makes them.
 *
 * Made once at start. 1. External topics must exist; internal ones are created here. 2. A
 * sub-topology has as many tasks as its widest source has partitions; co-partitioned sources must
 * agree. 3. What the internal ones are like is worked out in `internal-topics.ts`.
 */

import type { Broker, TopicDescription, TopicPartition } from '../broker/port.ts'
import { RuntimeError } from '../errors/classes.ts'
import type { SubTopology } from '../topology/graph.ts'
import { checkCopartitions } from '../topology/sub-topology.ts'
import { changelogTopicName, deadLetterTopicName } from './internal-names.ts'
import {
  externalTopics,
  type InternalTopic,
  internalTopics,
  partitionCounts,
  physicalNameOf,
  type TopicPlanOptions,
} from './internal-topics.ts'

export const defaultMaxMessageBytes = 1_048_588

/** What opening a task asks about topics; the topology driver answers without a broker. */
export interface TopicFacts {
  /** Name at the broker of a topic the topology names. */
  physicalName(logical: string): string
  topic(logical: string): TopicDescription
  changelog(storeName: string): TopicDescription
  readonly deadLetters: TopicDescription
  partitionsOf(sub: SubTopology): number
}

export class TopicPlan implements TopicFacts {
  readonly #options: TopicPlanOptions
  readonly #described: ReadonlyMap<string, TopicDescription>

  private constructor(options: TopicPlanOptions, described: ReadonlyMap<string, TopicDescription>) {
    this.#options = options
    this.#described = described
  }

  /**
   * Creates what is missing and ours, then describes everything.
   *
   * @param judge  told the partitions of every source before anything is made; refuses by a throw
   * @throws {RuntimeError} STREAMS_MISSING_TOPIC: names every external topic that is missing
   * @throws {RuntimeError} STREAMS_STATE_MISMATCH, STREAMS_CONFIG: an internal topic that exists
   * has another partition count, or a clean-up policy that loses records
   * @throws {TopologyError} STREAMS_NOT_COPARTITIONED
   */
  static async apply(
    broker: Broker,
    options: TopicPlanOptions,
    judge: (partitions: Readonly<Record<string, number>>) => Promise<void> = async () => {},
  ): Promise<TopicPlan> {
    const external = externalTopics(options)
    const described = await broker.topics.describe(external)
    const missing = external.filter((name) => !described.has(name))
    if (missing.length > 0) {
      throw new RuntimeError(
        'STREAMS_MISSING_TOPIC',
        `missing topics: ${missing.join(', ')}; `
          + 'create them first (millrace topics apply, for those of its applications), or start '
          + 'with the embedded broker, which creates its own',
      )
    }
    const counts = partitionCounts(
      options.plan,
      (logical) => described.get(physicalNameOf(options, logical))?.partitions,
    )
    for (const sub of options.plan.subTopologies) {
      // before anything is made: a changelog made now would keep the wrong partition count
      checkCopartitions(sub, counts.of)
    }
    await judge(sourcePartitions(options, counts.of))
    const internal = internalTopics(options, counts)
    const existing = await broker.topics.describe(internal.map(({ name }) => name))
    for (const spec of internal) {
      const found = existing.get(spec.name)
      if (found !== undefined) checkExisting(spec, found)
    }
    await broker.topics.create(internal.filter(({ name }) => !existing.has(name)))
    const made = await broker.topics.describe(internal.map(({ name }) => name))
    return new TopicPlan(options, new Map([...described, ...made]))
  }

  physicalName(logical: string): string {
    return physicalNameOf(this.#options, logical)
  }

  topic(logical: string): TopicDescription {
    return this.#get(this.physicalName(logical))
  }

  changelog(storeName: string): TopicDescription {
    return this.#get(changelogTopicName(this.#options.applicationId, storeName))
  }

  get deadLetters(): TopicDescription {
    const { applicationId, deadLetterTopic } = this.#options
    return this.#get(deadLetterTopic ?? deadLetterTopicName(applicationId))
  }

  partitionsOf(sub: SubTopology): number {
    return Math.max(...sub.sourceTopics.map((name) => this.topic(name).partitions))
  }

  /** Partition count of every external source, as kept in the state to notice a raise. */
  sourcePartitions(): Readonly<Record<string, number>> {
    return sourcePartitions(this.#options, (name) => this.topic(name).partitions)
  }

  /** Of every topic that the application reads or writes. */
  partitions(): readonly TopicPartition[] {
    return [...this.#described.values()].flatMap(partitionsOfTopic)
  }

  /** Of every topic whose offsets the application commits. */
  inputPartitions(): readonly TopicPartition[] {
    return Object.keys(this.sourcePartitions()).flatMap((name) =>
      partitionsOfTopic(this.#get(name)),
    )
  }

  #get(name: string): TopicDescription {
    const found = this.#described.get(name)
    if (found === undefined) throw new RuntimeError('STREAMS_MISSING_TOPIC', `no topic ${name}`)
    return found
  }
}

const sourcePartitions = (
  options: TopicPlanOptions,
  partitionsOf: (logical: string) => number,
): Readonly<Record<string, number>> => {
  const names = options.plan.subTopologies.flatMap(({ sourceTopics }) => sourceTopics)
  return Object.fromEntries(
    [...new Set(names)].sort().map((name) => [physicalNameOf(options, name), partitionsOf(name)]),
  )
}

const partitionsOfTopic = ({
  name: topic,
  partitions,
}: TopicDescription): readonly TopicPartition[] =>
  Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))

/** What an earlier start or somebody else made: rows must still be where they were. */
const checkExisting = (wanted: InternalTopic, found: TopicDescription): void => {
  const { name, kind, partitions } = wanted
  if (kind === 'dead letters') return // read by nobody here: any count and policy will do
  if (found.partitions !== partitions) {
    throw new RuntimeError(
      'STREAMS_STATE_MISMATCH',
      `${kind} topic ${name} has `
        + `${found.partitions} partitions, but its application needs ${partitions} now: the `
        + 'partition count of an input has changed, so keys would meet the wrong state; copy the '
        + 'input to a new topic with the old count, or start a new application id, which '
        + 'rebuilds its state',
    )
  }
  const policy = found.config.cleanupPolicy
  const keepsAll =
    policy === wanted.config.cleanupPolicy || (kind === 'changelog' && policy === 'compact')
  if (keepsAll) return
  throw new RuntimeError(
    'STREAMS_CONFIG',
    `${kind} topic ${name} has the clean-up policy ${policy}, `
      + `which loses records; set its cleanup.policy to ${wanted.config.cleanupPolicy}`,
  )
}

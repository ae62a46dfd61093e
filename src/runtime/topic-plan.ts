/**
 * The topology against the cluster: which topics exist, with how many partitions, who makes them.
 *
 * Made once at start. 1. External topics must exist; internal ones are created here. 2. A
 * sub-topology has as many tasks as its widest source has partitions; co-partitioned sources must
 * agree. 3. A repartition topic gets the partition count of the sub-topology that reads it, as far
 * as that reads external topics too, else of the one that writes it.
 */

import {
  type Broker,
  type TopicConfig,
  type TopicDescription,
  type TopicSpec,
} from '../broker/port.ts'
import { RuntimeError } from '../errors/classes.ts'
import { type Plan, type SubTopology } from '../topology/graph.ts'
import { checkCopartitions } from '../topology/sub-topology.ts'
import { changelogTopicName, deadLetterTopicName, repartitionTopicName } from './internal-names.ts'

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

export interface TopicPlanOptions {
  readonly applicationId: string
  readonly plan: Plan
  readonly deadLetterTopic: string | undefined
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
   * @throws {RuntimeError} STREAMS_MISSING_TOPIC: names every external topic that is missing
   * @throws {RuntimeError} STREAMS_STATE_MISMATCH, STREAMS_CONFIG: an internal topic that exists
   * has another partition count, or a clean-up policy that loses records
   * @throws {TopologyError} STREAMS_NOT_COPARTITIONED
   */
  static async apply(broker: Broker, options: TopicPlanOptions): Promise<TopicPlan> {
    const external = externalTopics(options)
    const described = await broker.topics.describe(external)
    const missing = external.filter((name) => !described.has(name))
    if (missing.length > 0) {
      throw new RuntimeError(
        'STREAMS_MISSING_TOPIC',
        `missing topics: ${missing.join(', ')}; `
          + 'create them first, or start with the embedded broker, which creates its own',
      )
    }
    const counts = partitionCounts(options, described)
    for (const sub of options.plan.subTopologies) {
      // before anything is made: a changelog made now would keep the wrong partition count
      checkCopartitions(sub, (logical) => partitionsIn(counts, described, logical))
    }
    const internal = internalSpecs(options, counts)
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
    const { applicationId, plan } = this.#options
    const isInternal = plan.internalTopics.includes(logical)
    return isInternal ? repartitionTopicName(applicationId, logical) : logical
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
    const names = this.#options.plan.subTopologies.flatMap(({ sourceTopics }) => sourceTopics)
    return Object.fromEntries(
      [...new Set(names)]
        .sort()
        .map((name) => [this.physicalName(name), this.topic(name).partitions]),
    )
  }

  #get(name: string): TopicDescription {
    const found = this.#described.get(name)
    if (found === undefined) throw new RuntimeError('STREAMS_MISSING_TOPIC', `no topic ${name}`)
    return found
  }
}

const externalTopics = ({ plan, deadLetterTopic }: TopicPlanOptions): readonly string[] => {
  const named = plan.nodes.flatMap(({ topic, internalTopic }) =>
    topic === undefined || internalTopic ? [] : [topic],
  )
  const whole = [...plan.globals.keys()]
  return [
    ...new Set([...named, ...whole, ...(deadLetterTopic === undefined ? [] : [deadLetterTopic])]),
  ]
}

/** Partition counts of repartition topics and, by sub-topology id, of tasks. */
interface PartitionCounts {
  readonly repartition: ReadonlyMap<string, number>
  readonly tasks: ReadonlyMap<number, number>
}

const partitionCounts = (
  { plan }: TopicPlanOptions,
  described: ReadonlyMap<string, TopicDescription>,
): PartitionCounts => {
  const repartition = new Map<string, number>()
  const tasks = new Map<number, number>()
  const known = (name: string): number => partitionsIn({ repartition }, described, name)
  // a chain of repartition topics settles in as many rounds as it is long
  for (let round = 0; round <= plan.internalTopics.length; round++) {
    for (const { id, sourceTopics } of plan.subTopologies) {
      tasks.set(id, Math.max(0, ...sourceTopics.map(known)))
    }
    for (const name of plan.internalTopics) {
      const readers = plan.subTopologies.filter(({ sourceTopics }) => sourceTopics.includes(name))
      const writers = plan.subTopologies.filter(({ sinkTopics }) => sinkTopics.includes(name))
      const read = Math.max(0, ...readers.map(({ id }) => tasks.get(id) ?? 0))
      const written = Math.max(0, ...writers.map(({ id }) => tasks.get(id) ?? 0))
      if (read > 0 || written > 0) repartition.set(name, read > 0 ? read : written)
    }
  }
  return { repartition, tasks }
}

/** 0 if not known yet. */
const partitionsIn = (
  { repartition }: Pick<PartitionCounts, 'repartition'>,
  described: ReadonlyMap<string, TopicDescription>,
  logical: string,
): number => described.get(logical)?.partitions ?? repartition.get(logical) ?? 0

interface InternalSpec extends TopicSpec {
  readonly kind: 'changelog' | 'repartition' | 'dead letters'
}

const internalSpecs = (
  options: TopicPlanOptions,
  { repartition, tasks }: PartitionCounts,
): readonly InternalSpec[] => {
  const { applicationId, plan, deadLetterTopic } = options
  const specs: InternalSpec[] = []
  for (const [name, partitions] of repartition) {
    const config: TopicConfig = { cleanupPolicy: 'delete', retentionMs: -1 }
    specs.push({
      name: repartitionTopicName(applicationId, name),
      kind: 'repartition',
      partitions,
      config,
    })
  }
  for (const { id, stores } of plan.subTopologies) {
    for (const storeName of stores) {
      const { changelog } = plan.stores.get(storeName)!
      specs.push({
        name: changelogTopicName(applicationId, storeName),
        kind: 'changelog',
        partitions: tasks.get(id)!,
        config: changelog,
      })
    }
  }
  if (deadLetterTopic === undefined) {
    const config: TopicConfig = { cleanupPolicy: 'delete', retentionMs: deadLetterRetentionMs }
    specs.push({
      name: deadLetterTopicName(applicationId),
      kind: 'dead letters',
      partitions: 1,
      config,
    })
  }
  return specs
}

const deadLetterRetentionMs = 14 * 86_400_000

/** What an earlier start or somebody else made: rows must still be where they were. */
const checkExisting = (wanted: InternalSpec, found: TopicDescription): void => {
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

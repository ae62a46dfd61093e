/**
 * From the topics an application wants to the steps that make a cluster have them.
 *
 * Called by `millrace topics plan|apply|verify`. 1. Only what is wanted is compared: other settings
 * and other topics are left alone. 2. Partitions are raised only where nothing depends on which key
 * lies where; else the step is refused, and with it the whole plan (`applySteps`). 3. A second run
 * finds nothing to do.
 */

import { BrokerError } from '../broker/errors.ts'
import type {
  TopicConfig,
  TopicDescription,
  Topics,
  TopicSettings,
  TopicSpec,
} from '../broker/port.ts'

export interface WantedTopic extends TopicSpec {
  /** For people: `input`, `output`, `changelog` … */
  readonly kind: string
  /** Wanted copies of each partition, as far as there are brokers for them. */
  readonly replicas: number
  /** Why its partition count must stay, once it exists; absent where it may grow. */
  readonly boundBy?: string
  /** Whether more partitions than wanted do no harm, since nothing lies by key. Default false. */
  readonly takesMore?: boolean
}

export interface SettingChange {
  readonly setting: keyof TopicConfig
  readonly from: string
  readonly to: string
}

interface StepOf {
  readonly topic: string
  readonly kind: string
}

export interface CreateTopic extends StepOf {
  readonly action: 'create'
  readonly spec: TopicSpec
}

export interface ChangeSettings extends StepOf {
  readonly action: 'change settings'
  readonly changes: readonly SettingChange[]
  readonly config: Partial<TopicConfig>
}

export interface RaisePartitions extends StepOf {
  readonly action: 'raise partitions'
  readonly from: number
  readonly to: number
}

export interface RefusedStep extends StepOf {
  readonly action: 'refused'
  readonly from: number
  readonly to: number
  readonly reason: string
}

export interface NoStep extends StepOf {
  readonly action: 'ok'
}

export type TopicStep = CreateTopic | ChangeSettings | RaisePartitions | RefusedStep | NoStep

/**
 * The steps in the order of the topics; a topic may need two.
 *
 * @throws {BrokerError} BROKER_NOT_AUTHORIZED: the message names the missing ACL
 */
export const planTopics = async (
  topics: Topics,
  wanted: readonly WantedTopic[],
): Promise<readonly TopicStep[]> => {
  const names = wanted.map(({ name }) => name)
  const replicasMax = await topics.replicasMax()
  const described = await topics.describe(names)
  const settings = await topics.settings([...described.keys()])
  return wanted.flatMap((topic) => {
    const found = described.get(topic.name)
    const set = settings.get(topic.name)
    if (found === undefined || set === undefined) return [createStep(topic, replicasMax)]
    return existingSteps(topic, found, set)
  })
}

/**
 * Carries the steps out: topics first, then partitions, then settings. Steps that came to be
 * needless meanwhile do nothing.
 *
 * @param onDone  told of each step that was carried out, also if a later one fails
 * @throws {BrokerError} as the calls of `Topics`; what was done stays done
 */
export const applySteps = async (
  topics: Topics,
  steps: readonly TopicStep[],
  onDone: (step: TopicStep) => void,
): Promise<void> => {
  if (steps.some(({ action }) => action === 'refused')) {
    throw new BrokerError('BROKER_INVALID_REQUEST', 'the plan has steps that are refused')
  }
  for (const step of steps) {
    if (step.action !== 'create') continue
    await topics.create([step.spec])
    onDone(step)
  }
  for (const step of steps) {
    if (step.action !== 'raise partitions') continue
    await topics.raisePartitions(step.topic, step.to)
    onDone(step)
  }
  for (const step of steps) {
    if (step.action !== 'change settings') continue
    await topics.changeSettings([{ name: step.topic, config: step.config }])
    onDone(step)
  }
}

/**
 * As a topic is created on a cluster of this size: one replica less than there are must do to
 * acknowledge a record, or nothing could be written while a broker is away.
 */
export const fittedSpec = (wanted: WantedTopic, replicasMax: number): TopicSpec => {
  const { name, partitions } = wanted
  const replicas = Math.min(wanted.replicas, replicasMax)
  return { name, partitions, replicas, config: fittedConfig(wanted.config, replicas) }
}

const fittedConfig = (config: TopicConfig, replicas: number): TopicConfig => {
  if (config.minInsyncReplicas === undefined) return config
  const most = Math.max(1, replicas - 1)
  return { ...config, minInsyncReplicas: Math.min(config.minInsyncReplicas, most) }
}

const createStep = (wanted: WantedTopic, replicasMax: number): CreateTopic => ({
  action: 'create',
  topic: wanted.name,
  kind: wanted.kind,
  spec: fittedSpec(wanted, replicasMax),
})

const existingSteps = (
  wanted: WantedTopic,
  found: TopicDescription,
  set: TopicSettings,
): readonly TopicStep[] => {
  const { name: topic, kind } = wanted
  const steps: TopicStep[] = []
  const partitions = partitionStep(wanted, found.partitions)
  if (partitions !== undefined) steps.push(partitions)
  const config = differing(fittedConfig(wanted.config, found.replicas ?? 1), set)
  const changes = Object.entries(config).map(([name, to]): SettingChange => {
    const setting = name as keyof TopicConfig
    return { setting, from: String(set[setting]), to: String(to) }
  })
  if (changes.length > 0) steps.push({ action: 'change settings', topic, kind, changes, config })
  return steps.length > 0 ? steps : [{ action: 'ok', topic, kind }]
}

const partitionStep = (
  { name: topic, kind, partitions: to, boundBy, takesMore = false }: WantedTopic,
  from: number,
): RaisePartitions | RefusedStep | undefined => {
  if (from === to || (from > to && takesMore)) return undefined
  if (from > to) {
    const mend = boundBy === undefined ? `: ${madeAnew(topic)}` : `, and ${boundBy}`
    const reason = `partitions cannot be taken away${mend}`
    return { action: 'refused', topic, kind, from, to, reason }
  }
  if (boundBy === undefined) return { action: 'raise partitions', topic, kind, from, to }
  return { action: 'refused', topic, kind, from, to, reason: boundBy }
}

const madeAnew = (topic: string): string =>
  `stop what uses it, delete it (kafka-topics --delete --topic ${topic}), which loses its records, `
  + 'and let millrace topics apply make it again'

const differing = (wanted: TopicConfig, set: TopicSettings): Partial<TopicConfig> =>
  Object.fromEntries(
    Object.entries(wanted).filter(
      ([name, value]) => value !== undefined && value !== set[name as keyof TopicConfig],
    ),
  )

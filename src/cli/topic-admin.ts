/**
 * The work of `millrace topics`: opens the broker, compares, and carries out what was planned.
 *
 * 1. Looking leaves nothing behind. 2. `apply` does nothing at all while any step is refused.
 * 3. What it did is printed also where a later step fails.
 */

import {
  catalogueNames,
  profileNames,
  TopicNames,
} from '../../topologies/shop/shared/topic-names.ts'
import { shopTopology } from '../../topologies/shop/shop.ts'
import type { Broker, Topics } from '../broker/port.ts'
import type { Settings } from '../config/settings.ts'
import { applySteps, planTopics, type TopicStep, type WantedTopic } from '../runtime/topic-steps.ts'
import { exitCodes } from './exit-codes.ts'
import { kafkaSecurityOf } from './kafka-security.ts'
import { openLocalBroker } from './local-broker.ts'
import { connectKafka } from './open-kafka.ts'
import { shopConfigOf } from './shop-settings.ts'
import { applicationId, wantedTopics } from './shop-topics.ts'
import { StopSignals } from './stop-signals.ts'
import { ecomNames, givenNames, namesToLookFor } from './topic-names.ts'
import { visibleTopics } from './visible-topics.ts'
import { stepsText } from './topic-steps-text.ts'

export type TopicsVerb = 'plan' | 'apply' | 'verify'

/** @returns the exit status */
export const administerTopics = async (settings: Settings, verb: TopicsVerb): Promise<number> => {
  await using parts = new AsyncDisposableStack()
  const names = namesFor(settings)
  const { topics } = await openBroker(settings, verb, parts)
  const { plan } = shopTopology(shopConfigOf(settings))
  const wanted = await wantedTopics({ topics, plan, applicationId, names })
  const steps = await planTopics(topics, wanted)
  await tellReplicas(topics, wanted)
  await tellOtherNames(topics, names)
  const print = (shown: readonly TopicStep[]): void => {
    process.stdout.write(stepsText(shown, settings.output))
  }
  const differences = steps.filter(({ action }) => action !== 'ok')
  const refused = differences.filter(({ action }) => action === 'refused')
  if (verb === 'apply' && refused.length === 0) return await apply(topics, differences, print)
  print(verb === 'plan' ? steps : differences)
  tell(sumOf(steps, differences))
  if (verb === 'verify') return differences.length === 0 ? exitCodes.ok : exitCodes.failure
  if (refused.length > 0) return exitCodes.refused
  return differences.length === 0 ? exitCodes.ok : exitCodes.changes
}

const apply = async (
  topics: Topics,
  steps: readonly TopicStep[],
  print: (shown: readonly TopicStep[]) => void,
): Promise<number> => {
  const done: TopicStep[] = []
  try {
    await applySteps(topics, steps, (step) => done.push(step))
  } finally {
    print(done)
  }
  tell(done.length === 0 ? 'nothing to do' : `${done.length} steps done`)
  return exitCodes.ok
}

const sumOf = (steps: readonly TopicStep[], differences: readonly TopicStep[]): string => {
  const topics = new Set(steps.map(({ topic }) => topic)).size
  if (differences.length === 0) return `${topics} topics are as they should be`
  const refused = differences.filter(({ action }) => action === 'refused').length
  const count = differences.length
  const sum = `${count} ${count === 1 ? 'difference' : 'differences'} in ${topics} topics`
  if (refused === 0) return `${sum}; millrace topics apply, with the same flags, mends that`
  return `${sum}, ${refused} of them refused for safety: nothing is changed while there are any`
}

/** Replicas are moved by Kafka's own tools: told, since a loss of one broker would show it. */
const tellReplicas = async (topics: Topics, wanted: readonly WantedTopic[]): Promise<void> => {
  const replicasMax = await topics.replicasMax()
  const described = await topics.describe(wanted.map(({ name }) => name))
  const few = wanted.filter(({ name, replicas }) => {
    const { replicas: found = 1 } = described.get(name) ?? { replicas }
    return found < Math.min(replicas, replicasMax)
  })
  if (few.length === 0) return
  tell(
    `fewer replicas than wanted (kafka-reassign-partitions adds some): `
      + few.map(({ name }) => name).join(', '),
  )
}

/** A Kafka has no state directory that would say what its topics are called. */
const namesFor = (settings: Settings): TopicNames =>
  settings.bootstrap === undefined ? namesToLookFor(settings) : (givenNames(settings) ?? ecomNames)

/** Topics that are there under the names of another profile would be made a second time. */
const tellOtherNames = async (topics: Topics, names: TopicNames): Promise<void> => {
  const profiles = profileNames.map((profile) => TopicNames.profile(profile))
  const others = profiles.filter((profile) => !profile.equals(names))
  const countOf = async (each: TopicNames): Promise<number> =>
    (await visibleTopics(topics, [...each.byCatalogue.values()])).size
  const ours = await countOf(names)
  let [best, most] = [names, ours]
  for (const other of others) {
    const count = await countOf(other)
    if (count > most) [best, most] = [other, count]
  }
  if (best === names) return
  tell(
    `${most} of ${catalogueNames.length} topics are there under the names of `
      + `${best.label}, ${ours} under those of ${names.label}: `
      + `was --topic-names ${best.label} meant?`,
  )
}

const openBroker = async (
  settings: Settings,
  verb: TopicsVerb,
  parts: AsyncDisposableStack,
): Promise<Broker> => {
  const { bootstrap, connectTimeoutMs } = settings
  if (bootstrap !== undefined) {
    const security = kafkaSecurityOf(settings)
    const { requested: interrupted } = new StopSignals()
    const kafka = await connectKafka({ bootstrap, connectTimeoutMs, security, interrupted })
    parts.defer(() => kafka.close())
    return kafka
  }
  return openLocalBroker(settings, verb === 'apply', parts)
}

const tell = (text: string): void => {
  process.stderr.write(`millrace: ${text}\n`)
}

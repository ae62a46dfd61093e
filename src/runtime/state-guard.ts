/**
 * Compares what a state directory was made by with what is about to run on it.
 *
 * Called twice per start: `judge` before anything is made at the broker, `settle` before a task
 * opens. 1. Another application or cluster, a store whose rows mean something else, or another
 * partition count of an input is refused with the difference and the way out; so is what would
 * leave rows or records behind, unless that is accepted. Nothing is touched then. 2. What is safe
 * goes on, with a line in the log. 3. What was accepted is dropped before the state says so: a
 * crash in between asks again.
 */

import type { Engine } from '../../state/engine.ts'
import { WriteBatch } from '../../state/write-batch.ts'
import type { Broker } from '../broker/port.ts'
import { RuntimeError } from '../errors/classes.ts'
import type { Logger } from '../logger.ts'
import { compareTopologies } from '../topology/compare-topologies.ts'
import { describeJson } from '../topology/describe-json.ts'
import type { Plan } from '../topology/graph.ts'
import { differenceText, type TopologyDifference } from '../topology/topology-difference.ts'
import { shapeOf } from '../topology/topology-shape.ts'
import { changelogTopicName, repartitionTopicName } from './internal-names.ts'
import { dropLeftRows } from './left-rows.ts'
import { orphanTopics } from './orphan-topics.ts'
import {
  type KnownFacts,
  putFacts,
  readFacts,
  shapeOfFacts,
  type StateFacts,
} from './state-facts.ts'
import { refuseUnfit } from './unfit-topology.ts'

export interface StateGuardOptions {
  readonly engine: Engine
  readonly broker: Broker
  readonly applicationId: string
  readonly clusterId: string
  readonly plan: Plan
  /** State that the topology has no place for any more is dropped instead of refused. */
  readonly acceptsTopologyChange: boolean
  readonly logger: Logger
}

export class StateGuard {
  readonly #options: StateGuardOptions
  readonly #before: KnownFacts | undefined
  #partitions: Readonly<Record<string, number>> = {}
  #differences: readonly TopologyDifference[] = []

  /** @throws {RuntimeError} STREAMS_STATE_MISMATCH: a newer Millrace made the state */
  constructor(options: StateGuardOptions) {
    this.#options = options
    this.#before = readFacts(options.engine)
  }

  /**
   * @param partitions  of every source, by its name at the broker
   * @throws {RuntimeError} STREAMS_STATE_MISMATCH: start with the topology or cluster it names
   * @throws {BrokerError} it is away, or does not say which topics there are
   */
  async judge(partitions: Readonly<Record<string, number>>): Promise<void> {
    const { plan, logger, acceptsTopologyChange } = this.#options
    const before = this.#before
    this.#partitions = partitions
    if (before !== undefined) refuseOwner(before, this.#options)
    this.#differences =
      before === undefined
        ? await this.#orphans()
        : compareTopologies(shapeOfFacts(before), shapeOf(describeJson(plan), partitions))
    refuseUnfit(this.#differences, acceptsTopologyChange)
    for (const difference of this.#differences) {
      const write = difference.consequence === 'safe' ? logger.info : logger.warn
      write.call(logger, { consequence: difference.consequence }, differenceText(difference))
    }
  }

  /**
   * Drops what has no place any more and writes down what runs now.
   *
   * @returns how often an application began to run on this state, this time too
   * @throws {StoreError | BrokerError} start again: it goes on where it was
   */
  async settle(): Promise<number> {
    const { engine, applicationId, clusterId, plan, logger } = this.#options
    const before = this.#before
    if (before?.version === 1 || this.#differences.length > 0) {
      const left = await dropLeftRows(this.#options)
      if (left.length > 0) logger.info({ left }, 'rows of stores that went or moved are dropped')
      if (before !== undefined) await this.#dropTopics()
    }
    const starts = (before?.starts ?? 0) + 1
    const facts: StateFacts = {
      version: 2,
      applicationId,
      clusterId,
      partitions: this.#partitions,
      starts,
      topology: describeJson(plan),
    }
    const batch = new WriteBatch()
    putFacts(batch, facts)
    await engine.commit(batch)
    return starts
  }

  #orphans(): Promise<readonly TopologyDifference[]> {
    const { broker, applicationId, plan } = this.#options
    const known = new Set([
      ...[...plan.stores.keys()].map((name) => changelogTopicName(applicationId, name)),
      ...plan.internalTopics.map((name) => repartitionTopicName(applicationId, name)),
    ])
    return orphanTopics({ broker, applicationId, known })
  }

  /** Of what was accepted to be gone: or a later store of that name would begin with its rows. */
  async #dropTopics(): Promise<void> {
    const { broker, applicationId, logger } = this.#options
    const gone = this.#differences.filter(
      ({ consequence, is }) => consequence === 'losesState' && is === '',
    )
    const names = gone.map(({ what, name }) =>
      what === 'store' ? changelogTopicName(applicationId, name) : `${applicationId}-${name}`,
    )
    const existing = [...(await broker.topics.describe(names)).keys()]
    if (existing.length === 0) return
    await broker.topics.delete(existing)
    logger.warn({ topics: existing }, 'internal topics of what is gone are deleted')
  }
}

const refuseOwner = (
  before: KnownFacts,
  { applicationId, clusterId }: Pick<StateGuardOptions, 'applicationId' | 'clusterId'>,
): void => {
  if (before.applicationId !== applicationId) {
    throw mismatch(
      `the state belongs to application ${before.applicationId}, not `
        + `${applicationId}; choose another --state-dir`,
    )
  }
  if (before.clusterId === clusterId) return
  throw mismatch(
    `the state belongs to cluster ${before.clusterId}, this one is `
      + `${clusterId}; start on that cluster, or choose another --state-dir; delete this one `
      + 'only if the changelogs of the application are on this cluster: it is restored from them',
  )
}

const mismatch = (message: string): RuntimeError =>
  new RuntimeError('STREAMS_STATE_MISMATCH', message)

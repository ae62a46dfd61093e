/**
 * What a broker adapter brings to the contract suite: clients, time, and what it cannot do.
 */

import type { Broker } from '../../../src/broker/port.ts'
import { Probe } from './probe.ts'

export interface BrokerHarness {
  /** A client of the cluster under test; the harness closes it. */
  broker(): Promise<Broker>
  /** Topics, groups and ids must not meet those of other tests on a shared cluster. */
  uniqueName(prefix: string): string
  /** Lets this much of the broker's time go by: a manual clock, or a sleep. */
  passTime(ms: number): Promise<void>
  /** Wall-clock time of the broker, for timestamps. */
  nowMs(): number
  /** Kills the cluster and starts it on what was durable; older clients are useless. */
  restart?(): Promise<void>
  /** Runs retention and compaction to the end. */
  maintain?(): Promise<void>
  dispose(): Promise<void>
}

/** The test's broker, its words, and fresh names. */
export class Cluster {
  readonly harness: BrokerHarness
  #probe: Probe | undefined

  constructor(harness: BrokerHarness) {
    this.harness = harness
  }

  async open(): Promise<void> {
    this.#probe = new Probe(await this.harness.broker())
  }

  get probe(): Probe {
    return this.#probe!
  }

  get broker(): Broker {
    return this.probe.broker
  }

  name(prefix: string): string {
    return this.harness.uniqueName(prefix)
  }
}

export type CurrentCluster = () => Cluster

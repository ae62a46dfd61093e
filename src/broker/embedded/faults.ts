/**
 * Faults on demand and at random: what goes wrong on Kafka must be able to go wrong here.
 *
 * Made by tests and simulations, passed to `EmbeddedBroker.open`; asked by every handle before and
 * after each operation. 1. `control` intercepts the next call of an operation, once, as kfake does.
 * 2. `random` draws from its own generator: the same seed and the same calls fail in the same way.
 * 3. A fault before the effect means that nothing happened; one after it, that it did.
 */

import type { Clock } from '../../clock.ts'
import type { Prng } from '../../testing/prng.ts'
import { BrokerError, type BrokerErrorCode } from '../errors.ts'

export const faultOperations = [
  'fetch',
  'produce',
  'sendOffsets',
  'initProducer',
  'beginTransaction',
  'commit',
  'abort',
  'join',
  'heartbeat',
  'committedOffsets',
] as const

export type FaultOperation = (typeof faultOperations)[number]

/** Throws what the caller shall see; an answered promise delays the call until it resolves. */
export type FaultAction = () => void | Promise<void>

/** Probabilities, 0 to 1, each per call. */
export interface RandomFaults {
  readonly prng: Prng
  /** BROKER_UNAVAILABLE, nothing done. */
  readonly unavailable?: number
  /** BROKER_UNKNOWN_OUTCOME of a write, nothing done. */
  readonly unknownBefore?: number
  /** BROKER_UNKNOWN_OUTCOME of a write that was done. */
  readonly unknownAfter?: number
  /** BROKER_CONCURRENT_TRANSACTIONS while the last transaction is ending. */
  readonly concurrentTransactions?: number
  readonly delay?: number
  /** Longest delay, in ms of the broker's clock; default 20. */
  readonly delayMsMax?: number
  /** A fetch answers only the first few of its records. */
  readonly partialFetch?: number
  /** A heartbeat starts a rebalance that nobody asked for. */
  readonly spuriousRebalance?: number
}

interface Control {
  readonly action: FaultAction
  readonly when: 'before' | 'after'
}

const writes: ReadonlySet<FaultOperation> = new Set([
  'produce',
  'sendOffsets',
  'initProducer',
  'commit',
  'abort',
])

export class EmbeddedBrokerFaults {
  /** May be changed at any time; undefined switches the random faults off. */
  random: RandomFaults | undefined
  readonly #controls = new Map<FaultOperation, Control[]>()

  constructor(random?: RandomFaults) {
    this.random = random
  }

  /** Intercepts the next call of this operation that no earlier control has taken. */
  control(
    operation: FaultOperation,
    action: FaultAction,
    { when = 'before' }: { readonly when?: 'before' | 'after' } = {},
  ): void {
    const queue = this.#controls.get(operation)
    if (queue === undefined) this.#controls.set(operation, [{ action, when }])
    else queue.push({ action, when })
  }

  /** Controls not yet used: a test checks that its fault was met. */
  get pendingControls(): number {
    let count = 0
    for (const queue of this.#controls.values()) count += queue.length
    return count
  }

  async run<T>(operation: FaultOperation, clock: Clock, effect: () => Promise<T>): Promise<T> {
    const control = this.#controls.get(operation)?.shift()
    if (control?.when === 'before') await control.action()
    const { random } = this
    if (random !== undefined) await before(operation, clock, random)
    const answer = await effect()
    if (control?.when === 'after') await control.action()
    if (random !== undefined && writes.has(operation) && chance(random, 'unknownAfter')) {
      throw failure('BROKER_UNKNOWN_OUTCOME', operation)
    }
    return answer
  }

  /** For the one synchronous operation; an action that waits cannot be honoured here. */
  runSync(operation: 'beginTransaction'): void {
    void this.#controls.get(operation)?.shift()?.action()
  }

  /** True if a produce shall meet BROKER_CONCURRENT_TRANSACTIONS where it would wait. */
  refusesWhileEnding(): boolean {
    return this.random !== undefined && chance(this.random, 'concurrentTransactions')
  }

  /** How many of `count` records a fetch may answer; at least one. */
  recordsMax(count: number): number {
    const { random } = this
    if (random === undefined || count < 2 || !chance(random, 'partialFetch')) return count
    return 1 + random.prng.int(count - 1)
  }

  disturbsGroup(): boolean {
    return this.random !== undefined && chance(this.random, 'spuriousRebalance')
  }
}

type Probability = Exclude<keyof RandomFaults, 'prng' | 'delayMsMax'>

/** Draws only for faults that are switched on. */
const chance = (random: RandomFaults, fault: Probability): boolean => {
  const probability = random[fault] ?? 0
  return probability > 0 && random.prng.chance(probability)
}

const before = async (
  operation: FaultOperation,
  clock: Clock,
  random: RandomFaults,
): Promise<void> => {
  if (chance(random, 'delay')) {
    const delayMs = 1 + random.prng.int(random.delayMsMax ?? 20)
    await new Promise<void>((resolve) => clock.setTimer(delayMs, resolve))
  }
  if (chance(random, 'unavailable')) throw failure('BROKER_UNAVAILABLE', operation)
  if (writes.has(operation) && chance(random, 'unknownBefore')) {
    throw failure('BROKER_UNKNOWN_OUTCOME', operation)
  }
}

const failure = (code: BrokerErrorCode, operation: FaultOperation): BrokerError =>
  new BrokerError(code, `${operation}: injected fault`)

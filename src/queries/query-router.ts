/**
 * Answers for any partition of any store at any instance: its own, or forwarded to the owner.
 *
 * ```
 *   open here? ──yes──► answer
 *       │no
 *       ▼
 *   owner by the last assignment ──asked──► answer
 *       │ none, not there, no answer
 *       ▼
 *   wait a moment; ask the broker for a new address ──► once more ──► STREAMS_PARTITION_MOVING
 * ```
 * One per instance, used by its HTTP routes. 1. A partition is answered for by one task at a time,
 * the active one; what cannot be known is an error, never "no such row". 2. What is forwarded is
 * not forwarded again (`answer-here.ts`). 3. Whoever asks tells its generation: an owner that
 * missed a later one refuses.
 */

import type { Broker } from '../broker/port.ts'
import type { Clock } from '../clock.ts'
import { RuntimeError } from '../errors/classes.ts'
import type { Peer } from '../runtime/group-protocol.ts'
import type { InstanceView } from '../runtime/instance-view.ts'
import { sleep } from '../runtime/sleep.ts'
import type { Store } from '../stores/store.ts'
import { answerHere } from './answer-here.ts'
import type {
  PartitionAnswer,
  PartitionQuestion,
  PartitionRead,
  PartitionReply,
} from './partition-read.ts'
import type { PartitionOfStore, Settled, StoreReads } from './store-reads.ts'

/** Asks the owner. @throws {UnreachableError} it gave no answer that can be trusted */
export type Forward = (owner: Peer, question: PartitionQuestion) => Promise<PartitionReply>

/** The instance that was asked is not to be reached, or is not the one it was taken for. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError'
}

export interface QueryRouterOptions {
  /** @throws {RuntimeError} STREAMS_CLOSED: the instance is starting */
  view(): InstanceView
  readonly broker: Broker
  readonly clock: Clock
  readonly forward: Forward
}

/** Long enough for word of a rebalance that is over, short enough for whoever waits. */
const retryAfterMs = 150
/** Between looks at the broker for new addresses. */
const refreshEveryMs = 500
const settledPollMs = 20

export class QueryRouter implements StoreReads {
  readonly #options: QueryRouterOptions
  #refreshed: { readonly atMs: number; readonly done: Promise<void> } | undefined

  constructor(options: QueryRouterOptions) {
    this.#options = options
  }

  named(name: string): Store {
    return this.#options.view().store(name)
  }

  partitionsOf(store: Store): number {
    return this.#options.view().place(store).partitions
  }

  async read(where: PartitionOfStore, read: PartitionRead): Promise<PartitionAnswer> {
    const first = await this.#ask(where, read)
    if ('answer' in first) return first.answer
    await Promise.all([
      sleep(this.#options.clock, retryAfterMs),
      first.isUnreachable && this.#refresh(),
    ])
    const second = await this.#ask(where, read)
    if ('answer' in second) return second.answer
    throw movingError(where, second.notHere)
  }

  async readSettled(
    where: PartitionOfStore,
    read: PartitionRead,
    { input, withinMs }: Settled,
  ): Promise<PartitionAnswer | undefined> {
    const { broker, clock } = this.#options
    const endMs = clock.monotonicMs() + withinMs
    const { logStartOffset, highWatermark } = await broker.topics.offsets(input)
    for (;;) {
      const answer = await this.read(where, read)
      const isEmpty = logStartOffset === highWatermark
      if (isEmpty || shows(answer, input, highWatermark)) return answer
      if (clock.monotonicMs() >= endMs) return undefined
      await sleep(clock, settledPollMs)
    }
  }

  async #ask({ store, partition }: PartitionOfStore, read: PartitionRead): Promise<Asked> {
    const { view: viewNow, forward } = this.#options
    const view = viewNow()
    const { generationId } = view
    const question = { store: store.name, partition, generationId, read }
    const here = answerHere(view, question)
    if ('answer' in here) return here
    const owner = view.ownerOf(view.place(store).taskOf(partition))
    if (owner === undefined) return { notHere: 'it is on its way from one replica to another' }
    if (owner.incarnation === view.incarnation) return here
    if (owner.endpoint === '') {
      return { notHere: `its owner ${owner.instanceId} answers no other replica` }
    }
    try {
      return await forward(owner, question)
    } catch (error) {
      if (!(error instanceof UnreachableError)) throw error
      return { notHere: `its owner ${owner.instanceId}: ${error.message}`, isUnreachable: true }
    }
  }

  /** At most so often, whoever asks. */
  #refresh(): Promise<void> {
    const { clock, view } = this.#options
    const nowMs = clock.monotonicMs()
    if (this.#refreshed === undefined || nowMs - this.#refreshed.atMs >= refreshEveryMs) {
      this.#refreshed = { atMs: nowMs, done: view().refresh() }
    }
    return this.#refreshed.done
  }
}

type Asked = PartitionReply & { readonly isUnreachable?: boolean }

const shows = (
  { offsets }: PartitionAnswer,
  { topic, partition }: Settled['input'],
  highWatermark: bigint,
): boolean =>
  offsets.some(
    (input) =>
      input.topic === topic && input.partition === partition && input.offset >= highWatermark,
  )

const movingError = ({ store, partition }: PartitionOfStore, why: string): RuntimeError =>
  new RuntimeError(
    'STREAMS_PARTITION_MOVING',
    `Partition ${partition} of store ${store.name} cannot be read now: ${why}.`,
  )

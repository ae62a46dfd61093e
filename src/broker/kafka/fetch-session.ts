/**
 * One fetch session (KIP-227): the broker remembers the partitions of the last request and answers
 * with those that have news; requests say what changed since.
 *
 * ```
 *   none ──a fetch without──► untried ──full fetch (epoch 0)──► open (id, epoch 1, 2, …)
 *     ▲                                       │ id 0: no slot      │
 *     └─ error, lost connection ◄─────────────┴────────────────────┘
 * ```
 * Kept by `FetchLanes`, one per connection; one request is on its way at a time. 1. The first fetch
 * of a connection asks for no session: what is read once should take no slot of the broker. 2. What
 * the broker leaves out has the high watermark and the log start that it answered last, and no
 * record to read. 3. The last stable offset may move alone, which the broker does not tell; a
 * reader of committed records then has records to read, others must fetch without a session.
 */

import type { fetchV15 } from '@platformatic/kafka'
import { noError } from './errors.ts'
import type { FetchAnswer, FetchedPartition } from './protocol/fetch.ts'

/** A partition as it is asked for. */
export interface FetchTarget {
  readonly topicId: string
  readonly partition: number
  readonly leaderEpoch: number
  readonly offset: number
  readonly maxBytes: number
}

export interface SessionRequest {
  readonly sessionId: number
  readonly sessionEpoch: number
  readonly topics: fetchV15.FetchRequestTopic[]
  readonly forgotten: fetchV15.FetchRequestForgottenTopicsData[]
}

interface Known {
  /** As the broker has it. */
  target: FetchTarget
  /** What it answered last, without its records; undefined after an error. */
  heard: FetchedPartition | undefined
}

const sessionless = { sessionId: 0, sessionEpoch: -1 }
const epochMax = 0x7fffffff

export class FetchSession {
  /** 0: the broker keeps none. */
  #id = 0
  #epoch = 0
  #isUntried = true
  #known = new Map<string, Known>()

  /** @param maySkip  false: every partition must be answered, so without a session */
  request(targets: readonly FetchTarget[], maySkip: boolean): SessionRequest {
    if (!maySkip || this.#isUntried) {
      this.reset()
      this.#isUntried = !maySkip
      return { ...sessionless, topics: topicsOf(targets), forgotten: [] }
    }
    if (this.#id === 0) {
      this.#known = new Map(
        targets.map((target) => [placeOf(target), { target, heard: undefined }]),
      )
      return { sessionId: 0, sessionEpoch: 0, topics: topicsOf(targets), forgotten: [] }
    }
    const places = new Set(targets.map(placeOf))
    const forgotten = [...this.#known].filter(([place]) => !places.has(place))
    for (const [place] of forgotten) this.#known.delete(place)
    return {
      sessionId: this.#id,
      sessionEpoch: this.#epoch,
      topics: topicsOf(targets.filter((target) => this.#learn(target))),
      forgotten: forgotten.map(([, { target }]) => ({
        topicId: target.topicId,
        partitions: [target.partition],
      })),
    }
  }

  /** @returns what is known of every partition of the request, as if it had all been answered */
  answered(request: SessionRequest, answer: FetchAnswer): readonly FetchedPartition[] {
    if (request.sessionEpoch === sessionless.sessionEpoch) return answer.partitions
    for (const fetched of answer.partitions) {
      const known = this.#known.get(placeOf(fetched))
      if (known === undefined) continue
      known.heard = fetched.errorCode === noError ? withoutRecords(fetched) : undefined
    }
    const told = new Set(answer.partitions.map(placeOf))
    const left = [...this.#known].filter(([place]) => !told.has(place))
    this.#id = answer.sessionId
    this.#epoch = this.#epoch === epochMax ? 1 : this.#epoch + 1
    if (this.#id === 0) this.reset()
    return [...answer.partitions, ...left.flatMap(([, { heard }]) => heard ?? [])]
  }

  /** The broker and we do not agree any more, or the connection is gone. */
  reset(): void {
    this.#id = 0
    this.#epoch = 0
    this.#known.clear()
  }

  /** @returns whether the broker must be told */
  #learn(target: FetchTarget): boolean {
    const place = placeOf(target)
    const known = this.#known.get(place)
    if (known === undefined) {
      this.#known.set(place, { target, heard: undefined })
      return true
    }
    const { offset, maxBytes, leaderEpoch } = known.target
    const isSame =
      offset === target.offset
      && maxBytes === target.maxBytes
      && leaderEpoch === target.leaderEpoch
      && known.heard !== undefined
    known.target = target
    return !isSame
  }
}

const placeOf = ({ topicId, partition }: Pick<FetchTarget, 'topicId' | 'partition'>): string =>
  `${topicId}:${partition}`

const withoutRecords = (fetched: FetchedPartition): FetchedPartition => ({
  ...fetched,
  aborted: [],
  buffer: Buffer.alloc(0),
  end: 0,
})

const topicsOf = (targets: readonly FetchTarget[]): fetchV15.FetchRequestTopic[] =>
  [...Map.groupBy(targets, ({ topicId }) => topicId)].map(([topicId, ofTopic]) => ({
    topicId,
    partitions: ofTopic.map(({ partition, leaderEpoch, offset, maxBytes }) => ({
      partition,
      currentLeaderEpoch: leaderEpoch,
      fetchOffset: BigInt(offset),
      lastFetchedEpoch: -1,
      partitionMaxBytes: maxBytes,
    })),
  }))

/**
 * Replays or discards the letters of one page in one transaction, apart from those refused.
 *
 * Called by the desk, which holds the audit. 1. Letters keep their order within a partition. 2. A
 * record that the broker does not take is refused by itself: the transaction is aborted and made
 * again without it. 3. A dry run refuses the same letters, save for what only the broker can tell.
 */

import { BrokerError } from '../broker/errors.ts'
import type { Broker, ProduceBatch, ProducedBatch } from '../broker/port.ts'
import type { AuditEntry } from './audit-entry.ts'
import type { AuditLedger } from './audit-ledger.ts'
import type { AuditWriter } from './audit-writer.ts'
import type { DeadLetter } from './dead-letter.ts'
import type { SettledCount, SettleReport, SettleRequest } from './dead-letter-access.ts'
import { hashOf } from './payload.ts'
import {
  attemptOf,
  firstOf,
  replayRecord,
  replayRefusal,
  type ReplayTargets,
  type ReplayTerms,
} from './replay-record.ts'

export const attemptsMaxDefault = 5

export interface SettlementOptions {
  readonly broker: Broker
  readonly ledger: AuditLedger
  readonly writer: AuditWriter
  readonly nowMs: number
  readonly request: SettleRequest
}

type Refusal = SettleReport['refused'][number]

export class Settlement {
  readonly refused: Refusal[] = []
  readonly #options: SettlementOptions
  readonly #terms: ReplayTerms

  constructor(options: SettlementOptions) {
    const { attemptsMax = attemptsMaxDefault, isForced, isTimedNow } = options.request
    this.#options = options
    this.#terms = {
      attemptsMax,
      isForced: isForced === true,
      isTimedNow: isTimedNow === true,
      nowMs: options.nowMs,
    }
  }

  /** @returns what was settled, or would be in a dry run */
  async settle(letters: readonly DeadLetter[]): Promise<readonly SettledCount[]> {
    const { request } = this.#options
    let left = await this.#allowed(letters)
    if (request.isDryRun) return countsOf(left)
    while (left.length > 0) {
      const places = request.what === 'replay' ? placed(left) : []
      try {
        await this.#write(left, places)
        return countsOf(left)
      } catch (error) {
        const culprit = culpritOf(error, places)
        if (culprit === undefined) throw error
        this.refused.push({ id: culprit.id, reason: (error as BrokerError).message })
        left = left.filter((letter) => letter !== culprit)
      }
    }
    return []
  }

  /** Those that are open, and that may be replayed if that is asked for. */
  async #allowed(letters: readonly DeadLetter[]): Promise<readonly DeadLetter[]> {
    const { ledger, request, broker } = this.#options
    const isReplay = request.what === 'replay'
    const targets = isReplay ? await targetsOf(broker, letters) : undefined
    return letters.filter((letter) => {
      const { status } = ledger.stateOf(letter.id)
      const reason =
        status === 'open'
          ? targets && replayRefusal(letter, targets, this.#terms)
          : `it is ${status} already`
      if (reason !== undefined) this.refused.push({ id: letter.id, reason })
      return reason === undefined
    })
  }

  #write(letters: readonly DeadLetter[], places: readonly Place[]): Promise<void> {
    const { writer } = this.#options
    const batches = places.map(({ topic, partition, letters: those }): ProduceBatch => ({
      topic,
      partition,
      records: those.map((letter) => replayRecord(letter, this.#valueOf(letter), this.#terms)),
    }))
    return writer.write({
      batches,
      entries: (produced) =>
        this.#options.request.what === 'discard'
          ? letters.map((letter) => this.#discarded(letter))
          : places.flatMap((place, index) => this.#replayed(place, produced[index])),
    })
  }

  #discarded(letter: DeadLetter): AuditEntry {
    return { what: 'discarded', ...this.#facts(letter) }
  }

  #replayed(
    { topic, partition, letters }: Place,
    produced: ProducedBatch | undefined,
  ): readonly AuditEntry[] {
    // sent in several batches, others may lie between: then nobody can tell which is where
    const isWhole =
      produced !== undefined && produced.nextOffset - produced.baseOffset === BigInt(letters.length)
    return letters.map((letter, index) => ({
      what: 'replayed',
      ...this.#facts(letter),
      to: {
        topic,
        partition,
        ...(isWhole && { offset: String(produced.baseOffset + BigInt(index)) }),
      },
      attempt: attemptOf(letter),
      first: firstOf(letter),
      newHash: hashOf(this.#valueOf(letter)),
    }))
  }

  #facts(letter: DeadLetter) {
    const { ledger, request, nowMs } = this.#options
    return { ...letterFacts(letter, ledger.topicId), ...actFacts(request, nowMs) }
  }

  #valueOf({ id, value }: DeadLetter): Uint8Array | null {
    return this.#options.ledger.stateOf(id).amendment ?? value
  }
}

/** What every entry says of its letter. */
export const letterFacts = (
  { id, source, failureClass, failure, value }: DeadLetter,
  topicId: string,
) => ({
  letter: id,
  topicId,
  topic: source?.topic ?? '',
  class: failureClass,
  code: failure.cause || failure.code,
  oldHash: hashOf(value),
})

/** What every entry says of the act. */
export const actFacts = (
  { by, reason }: { readonly by: string; readonly reason?: string },
  nowMs: number,
) => ({
  at: new Date(nowMs).toISOString(),
  by,
  ...(reason !== undefined && { reason }),
})

/** Letters that go to one partition, in the order of the page. */
interface Place {
  readonly topic: string
  readonly partition: number
  readonly letters: DeadLetter[]
}

const placed = (letters: readonly DeadLetter[]): readonly Place[] => {
  const places = new Map<string, Place>()
  for (const letter of letters) {
    const { topic, partition } = letter.source!
    const name = `${topic}-${partition}`
    const place = places.get(name) ?? { topic, partition, letters: [] }
    place.letters.push(letter)
    places.set(name, place)
  }
  return [...places.values()]
}

/** The letter whose record the broker will never take. */
const culpritOf = (error: unknown, places: readonly Place[]): DeadLetter | undefined => {
  if (!(error instanceof BrokerError) || error.action !== 'skip') return undefined
  const { topic, partition, recordIndex = -1 } = error.details
  return places.find((place) => place.topic === topic && place.partition === partition)?.letters[
    recordIndex
  ]
}

const targetsOf = async (
  { topics }: Broker,
  letters: readonly DeadLetter[],
): Promise<ReplayTargets> => {
  const names = [...new Set(letters.flatMap(({ source }) => (source ? [source.topic] : [])))]
  const described = await topics.describe(names)
  return { described, settings: await topics.settings([...described.keys()]) }
}

const countsOf = (letters: readonly DeadLetter[]): readonly SettledCount[] => {
  const counts = new Map<string, SettledCount>()
  for (const { source, failureClass } of letters) {
    const topic = source?.topic ?? 'unknown'
    const name = `${failureClass} ${topic}`
    const count = (counts.get(name)?.count ?? 0) + 1
    counts.set(name, { topic, class: failureClass, count })
  }
  return [...counts.values()]
}

/**
 * The dead letters of one topic on a broker: look at them, edit, replay and discard them.
 *
 * Opened by `millrace dlq` over a broker of its own, and by a running instance for its HTTP API.
 * 1. What became of a letter is read from the audit before every answer. 2. Changes go one after
 * the other through one `AuditWriter`; every command takes it over anew, so that of two commands
 * on the same letters the later one wins and the earlier one is told. 3. A page of changes is one
 * transaction. 4. Calls that only look write nothing, and need no audit topic.
 */

import type { Broker, TopicDescription, TopicPartition } from '../broker/port.ts'
import { readCommitted } from '../broker/read-committed.ts'
import type { Clock } from '../clock.ts'
import type { Logger } from '../logger.ts'
import { type AuditEntry, decodeAuditEntry } from './audit-entry.ts'
import { AuditLedger } from './audit-ledger.ts'
import { AuditWriter } from './audit-writer.ts'
import type { DeadLetter } from './dead-letter.ts'
import type {
  DeadLetterAccess,
  EditReport,
  EditRequest,
  LetterDetail,
  LetterPage,
  PageRequest,
  SettleReport,
  SettleRequest,
} from './dead-letter-access.ts'
import { DeskError } from './desk-error.ts'
import { decodeCursor, encodeCursor, firstCursor, type LetterCursor } from './letter-cursor.ts'
import { findLetters, scanLetters } from './letter-scan.ts'
import { isSelected, type LetterSelection } from './letter-selection.ts'
import { LetterCounter, type LetterStats } from './letter-stats.ts'
import { type KnownTopics, letterDetail, letterView } from './letter-view.ts'
import { hashOf, payloadBytes } from './payload.ts'
import { actFacts, letterFacts, Settlement } from './settlement.ts'

export interface DeadLetterDeskOptions {
  readonly broker: Broker
  readonly clock: Clock
  readonly logger: Logger
  /** Of the dead letters. */
  readonly topic: string
  /** Topics whose serdes are known, by the names they have at the broker. */
  readonly topics: KnownTopics
}

/** The topic as it is now, with what is known of it. */
interface Books {
  readonly topic: TopicDescription
  readonly ledger: AuditLedger
  readonly writer: AuditWriter
}

interface FoundPage {
  readonly letters: readonly DeadLetter[]
  readonly missing: readonly string[]
  readonly next?: string
}

/** Bytes of values after which a page ends before its limit: it is one transaction. */
const pageBytesMax = 8_388_608

export class DeadLetterDesk implements DeadLetterAccess {
  readonly #options: DeadLetterDeskOptions
  #books: Books | undefined
  /** The last call: they follow each other, since they share the ledger and the producer. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(options: DeadLetterDeskOptions) {
    this.#options = options
  }

  list(request: PageRequest): Promise<LetterPage> {
    return this.#alone(async ({ ledger, topic }) => {
      await ledger.catchUp()
      const { letters, missing, next } = await this.#page(request, { ledger, topic })
      const views = letters.map((letter) =>
        letterView(letter, ledger.stateOf(letter.id), this.#options.topics),
      )
      return { letters: views, missing, ...(next !== undefined && { next }) }
    })
  }

  show(id: string): Promise<LetterDetail | undefined> {
    return this.#alone(async ({ ledger, topic }) => {
      await ledger.catchUp()
      const { letters } = await findLetters(this.#options.broker, topic, [id])
      const letter = letters[0]
      if (letter === undefined) return undefined
      const audit = await this.#auditOf(letter, ledger)
      const { topics } = this.#options
      return letterDetail(letter, { state: ledger.stateOf(letter.id), audit, topics })
    })
  }

  stats(selection: LetterSelection): Promise<LetterStats> {
    return this.#alone(async ({ ledger, topic }) => {
      await ledger.catchUp()
      const counter = new LetterCounter()
      const cursor = await firstCursor(this.#options.broker, topic)
      for await (const { letter } of scanLetters(this.#options.broker, topic.name, cursor)) {
        const { status } = ledger.stateOf(letter.id)
        if (isSelected(selection, letter, status)) counter.add(letter, status)
      }
      return counter.stats()
    })
  }

  settle(request: SettleRequest): Promise<SettleReport> {
    return this.#alone(async ({ ledger, writer, topic }) => {
      if (request.isDryRun) await ledger.catchUp()
      else if (request.cursor === undefined || !writer.isHeld) await this.#takeOver()
      const isById = request.selection.ids !== undefined
      // of letters that were named, those that are settled are refused by name
      const selection = isById
        ? request.selection
        : { ...request.selection, status: 'open' as const }
      const { letters, missing, next } = await this.#page(
        { ...request, selection },
        { ledger, topic },
      )
      const { broker, clock } = this.#options
      const nowMs = clock.nowMs()
      const settlement = new Settlement({ broker, ledger, writer, nowMs, request })
      const settled = await settlement.settle(letters)
      const absent = missing.map((id) => ({ id, reason: 'there is no such dead letter' }))
      const refused = [...absent, ...settlement.refused]
      return { settled, refused, ...(next !== undefined && { next }) }
    })
  }

  edit(request: EditRequest): Promise<EditReport> {
    return this.#alone(async ({ ledger, writer, topic }) => {
      await this.#takeOver()
      const { letters } = await findLetters(this.#options.broker, topic, [request.id])
      const letter = letters[0]
      if (letter === undefined) throw new DeskError('DLQ_BAD_REQUEST', `there is no ${request.id}`)
      const { status, amendment } = ledger.stateOf(letter.id)
      if (status !== 'open') {
        throw new DeskError('DLQ_REFUSED', `${letter.id} is ${status} already`)
      }
      const value = payloadBytes(request.value)
      const oldHash = hashOf(amendment ?? letter.value)
      const newHash = hashOf(value)!
      if (newHash === oldHash) return { oldHash, newHash, isChanged: false }
      if (!request.isRaw) this.#checkValue(letter, value)
      const facts = { ...letterFacts(letter, topic.topicId), oldHash, newHash }
      const act = actFacts(request, this.#options.clock.nowMs())
      const entry: AuditEntry = { what: 'edited', ...facts, ...act, value: request.value }
      await writer.write({ batches: [], entries: () => [entry] })
      return { oldHash, newHash, isChanged: true }
    })
  }

  async close(): Promise<void> {
    await this.#last
    await this.#books?.writer.release()
  }

  /** @throws {DeskError} DLQ_REFUSED: the topic's own serde does not read it */
  #checkValue({ source }: DeadLetter, value: Uint8Array): void {
    const serde = this.#options.topics.get(source?.topic ?? '')?.value
    if (serde === undefined) {
      throw new DeskError(
        'DLQ_REFUSED',
        `the serde of ${source?.topic ?? 'its topic'} is not known here, so the value cannot be `
          + 'checked: --raw takes it as it is',
      )
    }
    try {
      serde.decode(value)
    } catch (cause) {
      const reason = (cause as Error).message
      throw new DeskError(
        'DLQ_REFUSED',
        `${source!.topic} does not take this value: ${reason}; --raw takes it as it is`,
        { cause },
      )
    }
  }

  async #takeOver(): Promise<void> {
    const { broker, topics } = this.#options
    const described = await broker.topics.describe([...topics.keys()])
    await this.#books!.writer.takeOver([...described.values()].flatMap(partitionsOf))
  }

  async #page(
    { selection, cursor, limit }: PageRequest,
    { ledger, topic }: Pick<Books, 'ledger' | 'topic'>,
  ): Promise<FoundPage> {
    const { broker } = this.#options
    const isMeant = (letter: DeadLetter): boolean =>
      isSelected(selection, letter, ledger.stateOf(letter.id).status)
    if (selection.ids !== undefined) {
      const { letters, missing } = await findLetters(broker, topic, selection.ids)
      return { letters: letters.filter(isMeant), missing }
    }
    const from =
      cursor === undefined ? await firstCursor(broker, topic) : decodeCursor(cursor, topic.topicId)
    const letters: DeadLetter[] = []
    let next: LetterCursor | undefined
    let valueBytes = 0
    for await (const scanned of scanLetters(broker, topic.name, from)) {
      if (!isMeant(scanned.letter)) continue
      // there is one more: the page goes on before it
      if (next !== undefined && (letters.length >= limit || valueBytes > pageBytesMax)) {
        return { letters, missing: [], next: encodeCursor(next) }
      }
      letters.push(scanned.letter)
      valueBytes += scanned.letter.value?.length ?? 0
      next = scanned.next
    }
    return { letters, missing: [] }
  }

  /** A pass over the audit: it has no index, and its entries are small. */
  async #auditOf({ id }: DeadLetter, ledger: AuditLedger): Promise<readonly AuditEntry[]> {
    const { broker } = this.#options
    const { place, topicId } = ledger
    if (!(await broker.topics.describe([place.topic])).has(place.topic)) return []
    const { lastStableOffset: to } = await broker.topics.offsets(place)
    const entries: AuditEntry[] = []
    for await (const { record } of readCommitted(broker, { ...place, from: 0n, to })) {
      if (record.key === null || Buffer.from(record.key).toString() !== id) continue
      const entry = decodeAuditEntry(record.value)
      if (entry.topicId === topicId) entries.push(entry)
    }
    return entries
  }

  /** @throws {DeskError} DLQ_BAD_REQUEST: there is no such topic */
  #alone<T>(use: (books: Books) => Promise<T>): Promise<T> {
    const turn = this.#last.then(async () => use(await this.#open()))
    this.#last = turn.catch(() => {})
    return turn
  }

  async #open(): Promise<Books> {
    const { broker, clock, logger, topic: name } = this.#options
    const topic = (await broker.topics.describe([name])).get(name)
    if (topic === undefined) {
      throw new DeskError(
        'DLQ_BAD_REQUEST',
        `there is no topic ${name} with dead letters: name another with --dlq, or that of other `
          + 'names with --topic-names',
      )
    }
    const known = this.#books
    if (known?.topic.topicId === topic.topicId) {
      this.#books = { ...known, topic }
    } else {
      await known?.writer.release()
      const ledger = new AuditLedger(broker, topic)
      const writer = new AuditWriter({ broker, clock, logger, ledger, topic: name })
      this.#books = { topic, ledger, writer }
    }
    return this.#books
  }
}

const partitionsOf = ({ name: topic, partitions }: TopicDescription): readonly TopicPartition[] =>
  Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))

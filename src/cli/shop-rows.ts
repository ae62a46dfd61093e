/**
 * Rows of the shop's stores, as of now or once what was written before was processed.
 *
 * Used by `local-shop.ts`. A row lies where the commands of its entity are decided: the partition
 * follows from the entity. Where that is not known every partition is asked, all or none.
 */

import type { Found } from '../../topologies/shop/http/shop-access.ts'
import { type PartitionAnswer, sourceOf } from '../queries/partition-read.ts'
import type { PartitionOfStore, StoreReads } from '../queries/store-reads.ts'
import type { KeyValueStore } from '../stores/key-value-store.ts'
import type { Topic } from '../topic.ts'
import type { CommandWriter } from './command-writer.ts'

/** A row, and what decides about it: the topic of its commands, and what they are keyed by. */
export interface WantedRow<Row> {
  readonly store: KeyValueStore<string, Row>
  readonly key: string
  readonly topic: Pick<Topic<string, unknown>, 'name' | 'key'>
  /** Absent if it is not known: it may lie in any partition. */
  readonly entity?: string | undefined
}

export class ShopRows {
  readonly #reads: StoreReads
  readonly #writer: CommandWriter

  constructor(reads: StoreReads, writer: CommandWriter) {
    this.#reads = reads
    this.#writer = writer
  }

  async find<Row>(wanted: WantedRow<Row>): Promise<Found<Row>> {
    const read = { kind: 'get', key: wanted.key } as const
    const places = this.#placesOf(wanted)
    const answers = await Promise.all(places.map((place) => this.#reads.read(place, read)))
    return foundIn(answers)
  }

  /** @returns  undefined if what was written before is not processed within the time */
  async settled<Row>(wanted: WantedRow<Row>, withinMs: number): Promise<Found<Row> | undefined> {
    this.#writer.check()
    const read = { kind: 'get', key: wanted.key } as const
    const asked = this.#placesOf(wanted).map((place) => {
      const input = { topic: this.#writer.topicName(wanted.topic), partition: place.partition }
      return this.#reads.readSettled(place, read, { input, withinMs })
    })
    const answers = await this.#writer.inTime(Promise.all(asked))
    const known = answers.filter((answer) => answer !== undefined)
    const isWhole = known.length === answers.length
    const found = known.length === 0 ? undefined : foundIn<Row>(known)
    return isWhole || found?.row !== undefined ? found : undefined
  }

  #placesOf<Row>({ store, topic, entity }: WantedRow<Row>): readonly PartitionOfStore[] {
    if (entity !== undefined) {
      return [{ store, partition: this.#writer.place(topic, entity).partition }]
    }
    const partitions = this.#reads.partitionsOf(store)
    return Array.from({ length: partitions }, (_, partition) => ({ store, partition }))
  }
}

/** Of the partition that has it. */
const foundIn = <Row>(answers: readonly PartitionAnswer[]): Found<Row> => {
  const answer = answers.find(({ rows }) => rows.length > 0) ?? answers[0]!
  return { row: answer.rows[0]?.value as Row | undefined, source: sourceOf(answer) }
}

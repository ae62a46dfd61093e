/**
 * W2's records: readings of many keys, each answered by its key's count and sum so far.
 *
 * Which record an answer belongs to is told by key and count: the n-th of a key is the n-th that
 * was made of it. Keys are uniform and come from a seed.
 */

import type { RawRecord } from '../../../src/broker/port.ts'
import { Prng } from '../../../src/index.ts'
import type { InputRecord, WorkloadData } from '../../load/workload-data.ts'
import { AnswerPlaces, answerOf } from './answers.ts'

const [valueChars, readingMax] = [100, 100]

interface Answer {
  readonly k: string
  readonly count: number
  readonly sum: number
}

/** What was made of a key, and how much of it was answered. */
interface KeyState {
  /** Of each record its index and reading. */
  readonly indexes: number[]
  readonly readings: number[]
  count: number
  sum: number
}

export interface W2Options {
  readonly records: number
  readonly partitions: number
  readonly keys: number
  /** When record i is to be sent, in ms since 1970. */
  dueMsOf(index: number): number
}

export class W2Data implements WorkloadData {
  readonly name = 'w2'
  readonly inputCount = 1
  readonly outputCount = 1
  readonly records: number
  readonly #options: W2Options
  readonly #places: AnswerPlaces
  readonly #prng = new Prng(2)
  readonly #keys = new Map<string, KeyState>()
  #made = 0
  #seen = 0

  constructor(options: W2Options) {
    this.records = options.records
    this.#options = options
    this.#places = new AnswerPlaces(this.name, options.partitions)
  }

  *inputs(): Iterable<InputRecord> {
    for (let index = 0; index < this.records; index++) yield this.next()
  }

  /** The next record: they are made in the order of their index. */
  next(): InputRecord {
    const index = this.#made++
    const k = `user-${String(this.#prng.int(this.#options.keys)).padStart(8, '0')}`
    const v = this.#prng.int(readingMax)
    let state = this.#keys.get(k)
    if (state === undefined) {
      state = { indexes: [], readings: [], count: 0, sum: 0 }
      this.#keys.set(k, state)
    }
    state.indexes.push(index)
    state.readings.push(v)
    const ts = Math.floor(this.#options.dueMsOf(index))
    const bare = JSON.stringify({ k, v, ts, pad: '' })
    const value = Buffer.from(`${bare.slice(0, -2).padEnd(valueChars - 2, 'x')}"}`)
    return { input: 0, key: Buffer.from(k), value, timestampMs: ts }
  }

  see(_output: number, partition: number, record: RawRecord): void {
    this.answered(partition, record)
  }

  /** @returns the index of the input that it answers. @throws {Error} as `see` */
  answered(partition: number, record: RawRecord): number {
    const { k, count, sum } = answerOf<Answer>(record)
    const state = this.#keys.get(k)
    if (state === undefined) throw new Error(`w2: nothing was sent of ${k}`)
    const [index, reading] = [state.indexes[state.count], state.readings[state.count]]
    state.count += 1
    state.sum += reading ?? Number.NaN
    if (count !== state.count || sum !== state.sum || index === undefined) {
      throw new Error(`w2: ${k} has ${count}, ${sum} where ${state.count}, ${state.sum} is right`)
    }
    this.#places.check(k, partition, record)
    this.#seen += 1
    return index
  }

  missing(): string {
    return this.#seen === this.#made ? '' : `w2: ${this.#made - this.#seen} of ${this.#made} lost`
  }
}

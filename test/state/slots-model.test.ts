/**
 * Goal: slots over any engine read as the simplest possible store would, at every step of the
 * pipelined commit, whatever the cache evicts.
 * Method: random operations on two stores with one undo log, and on a model of three plain Maps
 * per store; every read is compared. The commit is split into its steps: seal, write to the
 * engine, applied; a drop or a clear may come at any of them.
 */

import fc from 'fast-check'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { Engine } from '../../state/engine.ts'
import { bytesFromLatin1, namespacePrefix, prefixEnd } from '../../state/key-layout.ts'
import { MemoryEngine } from '../../state/memory/memory-engine.ts'
import { Slots, type SealedWrite, type SlotCodec, type SlotRange } from '../../state/slots.ts'
import { UndoLog } from '../../state/undo-log.ts'
import { WriteBatch } from '../../state/write-batch.ts'
import { openEngineKind } from '../contract/engine-kinds.ts'

const codec: SlotCodec = {
  encode: (value) => Buffer.from(JSON.stringify(value)),
  decode: (bytes) => JSON.parse(Buffer.from(bytes).toString()) as unknown,
  decodeText: (text) => JSON.parse(text) as unknown,
}

type Rows = Map<string, number | undefined>

/** The naive store: three maps, every read merges them. */
class Model {
  stored: Rows = new Map()
  committing: Rows = new Map()
  dirty: Rows = new Map()

  merged(): [string, number][] {
    const all = new Map([...this.stored, ...this.committing, ...this.dirty])
    return [...all]
      .filter((row): row is [string, number] => row[1] !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
  }

  scan({ gte, lt, reverse, limit }: SlotRange): [string, number][] {
    const rows = this.merged().filter(
      ([key]) => key >= (gte ?? '') && (lt === undefined || key < lt),
    )
    return (reverse === true ? rows.reverse() : rows).slice(0, limit ?? Infinity)
  }
}

type Step =
  | {
      readonly do: 'put' | 'putNew'
      readonly store: number
      readonly key: string
      readonly value: number
    }
  | { readonly do: 'delete' | 'get'; readonly store: number; readonly key: string }
  | { readonly do: 'prefetch'; readonly store: number; readonly keys: readonly string[] }
  | { readonly do: 'scan'; readonly store: number; readonly range: SlotRange }
  | {
      readonly do: 'deleteFirst'
      readonly store: number
      readonly range: SlotRange & { readonly limit: number }
    }
  | { readonly do: 'endRecord' | 'rollback' | 'commit' | 'drop' | 'clear' }

const key = fc.constantFrom(
  '',
  'a',
  'a\0',
  'aa',
  'b',
  'b\xff',
  'c',
  'd',
  '\x80',
  '\xff',
  '\xff\xff',
)
const store = fc.constantFrom(0, 1)
const range: fc.Arbitrary<SlotRange> = fc.record(
  {
    gte: key,
    lt: key,
    reverse: fc.boolean(),
    limit: fc.integer({ min: 0, max: 4 }),
  },
  { requiredKeys: [] },
)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constantFrom('put', 'putNew'),
      store,
      key,
      value: fc.nat(99),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom('delete', 'get'), store, key }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('prefetch' as const),
      store,
      keys: fc.array(key, { maxLength: 4 }),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('scan' as const), store, range }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('deleteFirst' as const),
      store,
      range: fc.record({ gte: key, lt: key, limit: fc.integer({ min: 1, max: 4 }) }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('endRecord', 'rollback') }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('commit' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('drop', 'clear') }) },
)

const keys = fc.uniqueArray(key)

/** Rows that the engine has and the cache has not. */
const storedBefore = (stored: readonly string[]): readonly Step[] => [
  ...stored.map((one) => ({ do: 'put' as const, store: 0, key: one, value: 1 })),
  ...Array<Step>(3).fill({ do: 'commit' }),
  { do: 'clear' },
]

class Subject {
  readonly #engine: Engine
  readonly #undo = new UndoLog()
  readonly #prefixes = ['one', 'one1'].map((name) => namespacePrefix('0_0', name))
  readonly #slots: readonly Slots[]
  readonly #models = [new Model(), new Model()]
  #before: Rows[] = []
  #sealed: (readonly SealedWrite[])[] | undefined
  #written = false

  constructor(engine: Engine, cachedSlotsMax: number) {
    this.#engine = engine
    this.#slots = this.#prefixes.map(
      (prefix) => new Slots({ engine, prefix, codec, undo: this.#undo, cachedSlotsMax }),
    )
    this.#beginRecord()
  }

  async run(step: Step): Promise<void> {
    switch (step.do) {
      case 'put':
      case 'putNew':
        this.#put(step)
        break
      case 'delete':
        this.#slots[step.store]!.delete(step.key)
        this.#models[step.store]!.dirty.set(step.key, undefined)
        break
      case 'get':
        return this.#compareGet(step.store, step.key)
      case 'prefetch':
        return this.#slots[step.store]!.prefetch(step.keys)
      case 'scan':
        return this.#compareScan(step.store, step.range)
      case 'deleteFirst':
        return this.#deleteFirst(step.store, step.range)
      case 'endRecord':
        return this.#beginRecord()
      case 'rollback':
        return this.#rollback()
      case 'commit':
        return this.#commit()
      case 'drop':
        return this.#drop()
      case 'clear':
        this.#drop()
        for (const slots of this.#slots) slots.clear()
    }
  }

  compareAll(): void {
    for (const store of [0, 1]) this.#compareScan(store, {})
    for (const store of [0, 1]) this.#compareScan(store, { reverse: true })
  }

  /** `putNew` only where there is no row, as its caller promises. */
  #put({ do: how, store, key, value }: Extract<Step, { readonly value: number }>): void {
    const model = this.#models[store]!
    const isNew = how === 'putNew' && !new Map(model.merged()).has(key)
    if (isNew) this.#slots[store]!.putNew(key, value)
    else this.#slots[store]!.put(key, value)
    model.dirty.set(key, value)
  }

  #deleteFirst(store: number, range: SlotRange & { readonly limit: number }): void {
    const model = this.#models[store]!
    const keys = model.scan(range).map(([key]) => key)
    expect(this.#slots[store]!.deleteFirst(range)).toEqual(keys)
    for (const key of keys) model.dirty.set(key, undefined)
    for (const key of keys) this.#compareGet(store, key)
  }

  #compareGet(store: number, key: string): void {
    const model = this.#models[store]!
    const expected = new Map(model.merged()).get(key)
    expect(this.#slots[store]!.get(key)).toBe(expected)
    // Queries see committed rows; while a commit is under way, from before or after it.
    const clean = [model.stored.get(key)]
    if (this.#written && model.committing.has(key)) clean.push(model.committing.get(key))
    expect(clean).toContain(this.#slots[store]!.cleanGet(key))
  }

  #compareScan(store: number, range: SlotRange): void {
    const model = this.#models[store]!
    expect([...this.#slots[store]!.scan(range)]).toEqual(model.scan(range))
    expect(this.#slots[store]!.keys(range)).toEqual(model.scan(range).map(([key]) => key))
    const committed = new Model()
    committed.stored = new Map([...model.stored, ...(this.#written ? model.committing : [])])
    expect([...this.#slots[store]!.cleanScan(range)]).toEqual(committed.scan(range))
  }

  #beginRecord(): void {
    this.#undo.clear()
    this.#before = this.#models.map(({ dirty }) => new Map(dirty))
  }

  #rollback(): void {
    this.#undo.rollback()
    for (const [i, model] of this.#models.entries()) model.dirty = new Map(this.#before[i])
    expect(this.#slots.map(({ dirtyCount }) => dirtyCount > 0)).toEqual(
      this.#models.map(({ dirty }) => dirty.size > 0),
    )
  }

  /** One step on: seal, or write what is sealed, or say that it is applied. */
  async #commit(): Promise<void> {
    this.#beginRecord()
    if (this.#sealed === undefined) this.#seal()
    else if (!this.#written) await this.#write()
    else this.#applied()
  }

  #seal(): void {
    this.#sealed = this.#slots.map((slots) => slots.seal())
    for (const [i, model] of this.#models.entries()) {
      const keys = this.#sealed[i]!.map(({ key }) => Buffer.from(key).toString('latin1'))
      expect(new Set(keys).size).toBe(keys.length)
      expect([...model.dirty.keys()]).toEqual(expect.arrayContaining(keys))
      model.committing = model.dirty
      model.dirty = new Map()
    }
    this.#beginRecord()
  }

  async #write(): Promise<void> {
    const batch = new WriteBatch()
    for (const [i, writes] of this.#sealed!.entries()) {
      for (const { key, value } of writes) {
        if (value === undefined) batch.delete(this.#prefixes[i]!, key)
        else batch.put(this.#prefixes[i]!, key, value)
      }
    }
    await this.#engine.commit(batch)
    this.#written = true
  }

  #applied(): void {
    for (const slots of this.#slots) slots.applied()
    this.#endGeneration()
  }

  #drop(): void {
    for (const slots of this.#slots) slots.drop()
    for (const model of this.#models) model.dirty.clear()
    this.#endGeneration()
  }

  #endGeneration(): void {
    for (const model of this.#models) {
      if (this.#written) model.stored = new Map([...model.stored, ...model.committing])
      model.committing = new Map()
    }
    this.#sealed = undefined
    this.#written = false
    this.#beginRecord()
  }
}

const directory = mkdtempSync(join(tmpdir(), 'millrace-slots-'))
const engines: Record<string, () => Promise<Engine>> = {
  memory: async () => MemoryEngine.create(),
  rocksdb: () => openEngineKind('rocksdb', join(directory, 'rocksdb')),
  lmdb: () => openEngineKind('lmdb', join(directory, 'lmdb')),
}

describe.each(Object.entries(engines))('slots against a naive model, %s', (name, open) => {
  let engine: Engine | undefined
  afterAll(async () => {
    await engine?.close()
    rmSync(directory, { recursive: true, force: true })
  })

  it('reads alike at every step', async () => {
    engine = await open()
    const wipe = { gte: Uint8Array.of(1), lt: prefixEnd(bytesFromLatin1('\x01')) }
    const steps = fc.array(step, { minLength: 1, maxLength: 120, size: 'medium' })
    const check = async (
      cachedSlotsMax: number,
      stored: readonly string[],
      all: readonly Step[],
    ): Promise<void> => {
      await engine!.deleteRange(wipe)
      const subject = new Subject(engine!, cachedSlotsMax)
      for (const one of [...storedBefore(stored), ...all]) await subject.run(one)
      subject.compareAll()
    }
    const property = fc.asyncProperty(fc.integer({ min: 1, max: 12 }), keys, steps, check)
    await fc.assert(property, { numRuns: name === 'memory' ? 1500 : 300 })
  }, 60_000)
})

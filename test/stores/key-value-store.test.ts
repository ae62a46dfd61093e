/**
 * Goal: a key-value store is an ordered map of typed keys that survives commits and restarts.
 * Method: random writes, undone records, commits and restarts against a plain sorted array; keys
 * with and without multi-byte characters, since only ASCII ones take the fast path.
 */

import fc from 'fast-check'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { bytes, int64, json, keyValueStore, type Serde, utf8 } from '../../src/index.ts'
import { openEngineKind } from '../contract/engine-kinds.ts'
import { OpenStore } from './open-store.ts'

const store = keyValueStore('kv', { key: utf8, value: json<number>() })
const key = fc.constantFrom('', 'a', 'aa', 'ab', 'b', 'é', 'ÿ', '€', '😀', '\u007f')
const maybeKey = fc.option(key, { nil: undefined })

const range = fc.record({
  from: maybeKey,
  to: maybeKey,
  prefix: maybeKey,
  reverse: fc.boolean(),
  limit: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
})

type Step =
  | { kind: 'put'; key: string; value: number }
  | { kind: 'delete'; key: string }
  | { kind: 'keep' | 'undo' | 'commit' | 'restart' }
  | { kind: 'range'; range: typeof range extends fc.Arbitrary<infer R> ? R : never }

const step: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: fc.record({ kind: fc.constant('put' as const), key, value: fc.nat(9) }), weight: 5 },
  { arbitrary: fc.record({ kind: fc.constant('delete' as const), key }), weight: 2 },
  fc.record({ kind: fc.constantFrom('keep' as const, 'undo', 'commit', 'restart') }),
  { arbitrary: fc.record({ kind: fc.constant('range' as const), range }), weight: 3 },
)

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

const expectedRows = (
  rows: ReadonlyMap<string, number>,
  { from, to, prefix, reverse, limit }: (Step & { kind: 'range' })['range'],
): (readonly [string, number])[] => {
  const found = [...rows]
    .filter(
      ([row]) =>
        (from === undefined || byBytes(row, from) >= 0)
        && (to === undefined || byBytes(row, to) < 0)
        && (prefix === undefined || row.startsWith(prefix)),
    )
    .sort(([a], [b]) => byBytes(a, b))
  return (reverse ? found.reverse() : found).slice(0, limit)
}

const defined = <T extends object>(options: T): T =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T

test('equals a sorted map', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const opened = new OpenStore(store)
      let kept = new Map<string, number>()
      let rows = new Map<string, number>()
      let committed = new Map<string, number>()
      for (const action of steps) {
        if (action.kind === 'put') {
          opened.opened.put(action.key, action.value)
          rows.set(action.key, action.value)
        } else if (action.kind === 'delete') {
          opened.opened.delete(action.key)
          rows.delete(action.key)
        } else if (action.kind === 'range') {
          const options = defined(action.range) as object
          expect([...opened.opened.range(options)]).toEqual(expectedRows(rows, action.range))
          expect([...opened.reader.range(options)]).toEqual(expectedRows(committed, action.range))
        } else if (action.kind === 'undo') {
          opened.undo()
          rows = new Map(kept)
        } else {
          if (action.kind === 'keep') opened.keep()
          else await opened[action.kind]()
          kept = new Map(rows)
          if (action.kind !== 'keep') committed = new Map(rows)
        }
      }
      opened.opened.prefetch([...rows.keys()])
      for (const [row, value] of rows) expect(opened.opened.get(row)).toBe(value)
      for (const [row, value] of committed) expect(opened.reader.get(row)).toBe(value)
    }),
    { numRuns: 200 },
  )
})

test('undefined is refused: a deletion has its own name', () => {
  const { opened } = new OpenStore(keyValueStore('u', { key: utf8, value: json<unknown>() }))
  expect(() => opened.put('k', undefined)).toThrow('use delete()')
})

test('keys of other serdes are ordered by their bytes', () => {
  const { opened } = new OpenStore(keyValueStore('i', { key: int64, value: json<number>() }))
  for (const key of [300n, 2n, 1n, 255n]) opened.put(key, Number(key))
  expect([...opened.range({ from: 2n, to: 300n })]).toEqual([
    [2n, 2],
    [255n, 255],
  ])
})

test('a prefix of the highest bytes has no end', async () => {
  const open = new OpenStore(keyValueStore('b', { key: bytes, value: json<number>() }))
  const { opened } = open
  opened.put(Uint8Array.of(0xff, 0xfe), 1)
  opened.put(Uint8Array.of(0xff, 0xff), 2)
  opened.put(Uint8Array.of(0xff, 0xff, 1), 3)
  await open.commit()
  const found = [...opened.range({ prefix: Uint8Array.of(0xff, 0xff) })]
  expect(found.map(([, value]) => value)).toEqual([2, 3])
})

test('the layout names kind and formats, so that another serde is noticed', () => {
  expect(store.layout).toBe('key-value/1 key=utf8 value=json')
})

interface Seen {
  readonly at: Date
}

/** As users make one of another: its own way to read, all else as it was. */
const seen: Serde<Seen> = {
  ...json<Seen>(),
  format: 'seen',
  decode: (encoded) => {
    const { at } = JSON.parse(Buffer.from(encoded).toString()) as { readonly at: string }
    return { at: new Date(at) }
  },
}

test.each(['rocksdb', 'lmdb'] as const)(
  'on %s a row is read by the decode of its serde, ahead or not',
  async (kind) => {
    const directory = mkdtempSync(join(tmpdir(), 'kv-'))
    const engine = await openEngineKind(kind, directory)
    try {
      const dates = keyValueStore('dates', { key: utf8, value: seen })
      const texts = keyValueStore('texts', { key: utf8, value: json<string>() })
      const [times, words] = [new OpenStore(dates, engine), new OpenStore(texts, engine)]
      const keys = ['a', 'é', 'none']
      for (const one of keys.slice(0, 2)) {
        times.opened.put(one, { at: new Date(7) })
        words.opened.put(one, `${one}\ufffd`)
      }
      for (const open of [times, words]) await open.restart()
      for (const ahead of [true, false]) {
        if (ahead) for (const { opened } of [times, words]) opened.prefetch(keys)
        expect(keys.map((one) => times.opened.get(one)?.at.getTime())).toEqual([7, 7, undefined])
        expect(keys.map((one) => words.opened.get(one))).toEqual(['a\ufffd', 'é\ufffd', undefined])
        for (const open of [times, words]) await open.restart()
      }
    } finally {
      await engine.close()
      rmSync(directory, { recursive: true })
    }
  },
)

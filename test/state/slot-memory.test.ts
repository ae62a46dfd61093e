/**
 * Goal: decoded rows stay within one bound of bytes over all stores, and nothing that is not in
 * the engine is ever evicted. Method: stores of very different rows share a small memory.
 */

import { beforeEach, describe, expect, it } from 'vitest'
import { namespacePrefix } from '../../state/key-layout.ts'
import { MemoryEngine } from '../../state/memory/memory-engine.ts'
import { slotBytes, SlotMemory } from '../../state/slot-memory.ts'
import { Slots, type SlotCodec } from '../../state/slots.ts'
import { StoreCounters } from '../../state/store-counters.ts'
import { UndoLog } from '../../state/undo-log.ts'
import { WriteBatch } from '../../state/write-batch.ts'

const codec: SlotCodec = {
  encode: (value) => Buffer.from(String(value)),
  decode: (bytes) => Buffer.from(bytes).toString(),
}

const bytesMax = 20_000
let engine: MemoryEngine
let memory: SlotMemory
let undo: UndoLog

beforeEach(() => {
  engine = MemoryEngine.create()
  memory = new SlotMemory(bytesMax)
  undo = new UndoLog()
})

const storeOf = (name: string, counters = new StoreCounters()): Slots =>
  new Slots({
    engine,
    prefix: namespacePrefix('0_0', name),
    codec,
    undo,
    cachedSlotsMax: 1_000_000,
    memory,
    counters,
  })

const commit = async (slots: Slots, name: string): Promise<void> => {
  undo.clear()
  const batch = new WriteBatch()
  for (const { key, value } of slots.seal()) batch.put(namespacePrefix('0_0', name), key, value!)
  await engine.commit(batch)
  slots.applied()
}

const keyOf = (i: number): string => `key-${String(i).padStart(5, '0')}`

describe('slot memory', () => {
  it('holds large rows to the bytes, not to their number', () => {
    const slots = storeOf('rows')
    for (let i = 0; i < 500; i++) slots.get(keyOf(i))
    const ofMissing = slots.cached
    expect(ofMissing.rows).toBe(Math.floor(bytesMax / slotBytes(9, 0)))
    expect(memory.bytes).toBe(ofMissing.bytes)
    expect(memory.bytes).toBeLessThanOrEqual(bytesMax)
  })

  it('counts what a row takes, read or written, and gives it back', async () => {
    const slots = storeOf('rows')
    slots.put('a', 'x'.repeat(300))
    expect(memory.bytes).toBe(slotBytes(1, 0)) // not known before it is encoded
    slots.get('a') // else it would go with the commit
    await commit(slots, 'rows')
    expect(memory.bytes).toBe(slotBytes(1, 300))
    slots.clear()
    expect(memory.bytes).toBe(0)
    expect(slots.get('a')).toBe('x'.repeat(300))
    expect(memory.bytes).toBe(slotBytes(1, 300))
    slots.put('a', 'y')
    await commit(slots, 'rows')
    expect(memory.bytes).toBe(slotBytes(1, 1))
    slots.delete('a')
    undo.clear()
    slots.seal()
    expect(memory.bytes).toBe(slotBytes(1, 0))
    slots.applied()
    expect(memory.bytes).toBe(0)
  })

  it('takes room from a store that rests, for one that is read', () => {
    const [resting, busy] = [storeOf('resting'), storeOf('busy')]
    for (let i = 0; i < 100; i++) resting.get(keyOf(i))
    for (let round = 0; round < 3; round++) for (let i = 0; i < 100; i++) busy.get(keyOf(i))
    expect(busy.cached.rows).toBeGreaterThan(100 - 64)
    expect(busy.cached.rows).toBeGreaterThan(2 * resting.cached.rows)
    expect(memory.bytes).toBe(busy.cached.bytes + resting.cached.bytes)
    expect(memory.bytes).toBeLessThanOrEqual(bytesMax)
    for (let i = 0; i < 500; i++) busy.get(keyOf(i)) // and from itself, once the other is empty
    expect(memory.bytes).toBeLessThanOrEqual(bytesMax)
  })

  it('keeps every row that is not in the engine yet, and is bounded again then', async () => {
    const [slots, other] = [storeOf('rows'), storeOf('other')]
    for (let i = 0; i < 400; i++) slots.put(keyOf(i), `value ${i}`)
    other.get('more')
    undo.clear()
    expect(slots.cached.rows).toBe(400)
    expect(memory.bytes).toBeGreaterThan(bytesMax)
    for (let i = 0; i < 400; i++) expect(slots.get(keyOf(i))).toBe(`value ${i}`)
    await commit(slots, 'rows')
    expect(memory.bytes).toBeLessThanOrEqual(bytesMax)
    for (let i = 0; i < 400; i++) expect(slots.get(keyOf(i))).toBe(`value ${i}`)
    expect(memory.bytes).toBeLessThanOrEqual(bytesMax)
  })

  it('does not evict the row it makes room for, nor rows just read ahead', () => {
    const slots = storeOf('rows')
    for (let i = 0; i < 300; i++) slots.get(keyOf(i))
    const ahead = Array.from({ length: 32 }, (_, i) => keyOf(1_000 + i))
    slots.prefetch(ahead)
    const before = slots.engineReads
    for (const key of ahead) slots.get(key)
    expect(slots.engineReads).toBe(before)
  })

  it('forgets a closed task for good', () => {
    const [closed, open] = [storeOf('closed'), storeOf('open')]
    for (let i = 0; i < 50; i++) closed.get(keyOf(i))
    closed.release()
    expect([memory.bytes, memory.cacheCount]).toEqual([0, 0])
    closed.get('late') // a read that was under way
    closed.put('late', 'x')
    undo.clear()
    closed.seal()
    expect([memory.bytes, memory.cacheCount]).toEqual([0, 0])
    for (let i = 0; i < 500; i++) open.get(keyOf(i))
    expect(memory.bytes).toBe(open.cached.bytes)
  })

  it('counts what a store keeps beside its rows, makes room for it, and gives it back', () => {
    const slots = storeOf('rows')
    for (let i = 0; i < 500; i++) slots.get(keyOf(i))
    const rowsBefore = slots.cached.rows
    slots.keepsBeside(bytesMax / 2)
    slots.get('one more')
    expect(slots.cached.bytes).toBeLessThanOrEqual(bytesMax / 2)
    expect(slots.cached.rows).toBeLessThan(rowsBefore)
    expect(memory.bytes).toBe(slots.cached.bytes + bytesMax / 2)
    slots.clear()
    expect(memory.bytes).toBe(bytesMax / 2)
    slots.keepsBeside(100)
    expect(memory.bytes).toBe(100)
    slots.release()
    slots.keepsBeside(100)
    expect(memory.bytes).toBe(0)
  })

  it('counts reads by what answered them', async () => {
    const counters = new StoreCounters()
    const slots = storeOf('rows', counters)
    slots.get('a')
    slots.get('a')
    slots.prefetch(['a', 'b', 'c'])
    slots.get('b')
    slots.put('d', 'x')
    slots.delete('d')
    expect([...slots.scan({})]).toEqual([])
    expect({ ...counters }).toEqual({
      gets: 3,
      getMisses: 1,
      prefetched: 2,
      puts: 1,
      deletes: 1,
      ranges: 1,
    })
  })
})

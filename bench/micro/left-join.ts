/**
 * What a windowed join costs per record over warm slots, expiry included.
 *
 * Method: orders and payments of 200,000 keys in turn, 1 ms of stream time per record, one order in
 * ten without a payment, within 10 s; one pass as warm-up, then five, median. Nothing is committed,
 * so it is the cost of the operator and the slots, not of the engine.
 */

import { MemoryEngine } from '../../state/memory/memory-engine.ts'
import { Slots } from '../../state/slots.ts'
import { UndoLog } from '../../state/undo-log.ts'
import { joinStore, json, seconds, utf8 } from '../../src/index.ts'
import { report } from '../report.ts'
import { StreamTime } from '../../src/stores/stream-time.ts'

const store = joinStore('bench', {
  key: utf8,
  left: json<number>(),
  right: json<number>(),
  withinMs: seconds(10),
  graceMs: seconds(1),
})
const recordsPerPass = 100_000

const pass = (): { readonly nsPerRecord: number; readonly reported: number } => {
  const undo = new UndoLog()
  const slots = new Slots({
    engine: MemoryEngine.create(),
    prefix: Uint8Array.of(1),
    codec: store.codec,
    undo,
    cachedSlotsMax: 1_000_000,
  })
  const rows = store.open(slots, new StreamTime())
  let reported = 0
  const startMs = performance.now()
  for (let i = 0; i < recordsPerPass; i++) {
    const moment = { timestampMs: i, streamTimeMs: i, nowMs: i }
    const key = `order-${i >> 1}`
    for (const _ of rows.expire('left', moment)) reported += 1
    if (i % 2 === 0) rows.add({ side: 'left', key, value: i, isKept: true }, moment)
    else if (i % 20 !== 1) rows.add({ side: 'right', key, value: i, isKept: false }, moment)
    undo.clear()
  }
  return { nsPerRecord: ((performance.now() - startMs) / recordsPerPass) * 1e6, reported }
}

pass()
const passes = Array.from({ length: 5 }, pass).sort((a, b) => a.nsPerRecord - b.nsPerRecord)
const { nsPerRecord, reported } = passes[2]!
report({
  name: 'left-join',
  figures: { nsPerRecord, recordsPerSec: 1e9 / nsPerRecord, reportedAlone: reported },
})

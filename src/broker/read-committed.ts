/**
 * Reads committed records of one partition in the order of their offsets, up to an end.
 *
 * Used by commands that look at a topic, and by the dead letters. One fetch at a time; nothing is
 * kept. Bytes of a record may be views of a fetch buffer: whoever keeps them copies them.
 */

import type { Broker, RawBatch, RawRecord, TopicPartition } from './port.ts'

const fetchBytes = 4_194_304
const longWaitMs = 500

export interface ReadRange extends TopicPartition {
  /** Below the first record that is left: from there. */
  readonly from: bigint
  /** Exclusive. */
  readonly to: bigint
  /** Bytes of one fetch; default 4 MiB. */
  readonly maxBytes?: number
  /** Waits for what is not stable yet, so long without progress; default: ends there. */
  readonly waitMs?: number
  /** Gets each batch before its records are given. */
  prepare?(batch: RawBatch): Promise<void>
}

export interface ReadRecord {
  readonly offset: bigint
  readonly record: RawRecord
}

/** @throws {Error} what is below `to` did not become stable within `waitMs` */
export async function* readCommitted(broker: Broker, range: ReadRange): AsyncGenerator<ReadRecord> {
  const { topic, partition, to, maxBytes = fetchBytes, waitMs = 0 } = range
  const { logStartOffset } = await broker.topics.offsets({ topic, partition })
  let offset = range.from < logStartOffset ? logStartOffset : range.from
  if (offset >= to) return
  const fetcher = broker.fetcher('read')
  let movedAtMs = performance.now()
  try {
    while (offset < to) {
      const [batch] = await fetcher.fetch([{ topic, partition, offset, maxBytes }], {
        isolation: 'read_committed',
        maxWaitMs: Math.min(waitMs, longWaitMs),
      })
      await range.prepare?.(batch!)
      const { baseOffset, records, nextOffset } = batch!
      for (const record of records) {
        const at = baseOffset + BigInt(record.offsetDelta)
        if (at >= to) return
        if (at >= offset) yield { offset: at, record }
      }
      if (nextOffset > offset) movedAtMs = performance.now()
      else if (waitMs === 0) return
      else if (performance.now() - movedAtMs > waitMs) throw stuck(range, offset)
      offset = nextOffset
    }
  } finally {
    await fetcher.close()
  }
}

const stuck = ({ topic, partition, to, waitMs }: ReadRange, offset: bigint): Error =>
  new Error(
    `${topic}-${partition}: what is written from offset ${offset} to ${to} did not become stable `
      + `within ${waitMs} ms: a transaction holds it open`,
  )

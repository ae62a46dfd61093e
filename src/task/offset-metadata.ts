/**
 * What is stored beside every committed offset: stream time and punctuation schedules.
 *
 * Travels in the transaction, so it is as durable and as exactly-once as the offset itself.
 * JSON, version 1: `{"v":1,"t":<stream time ms or null>,"p":{"<node>.<punctuator>":<next ms>}}`.
 * Metadata of another writer (a plain Kafka tool that reset offsets) reads as "nothing known".
 */

export interface OffsetMetadata {
  readonly streamTimeMs: number
  readonly schedules: Readonly<Record<string, number>>
}

export const encodeOffsetMetadata = ({ streamTimeMs, schedules }: OffsetMetadata): string =>
  JSON.stringify({ v: 1, t: Number.isFinite(streamTimeMs) ? streamTimeMs : null, p: schedules })

export const decodeOffsetMetadata = (metadata: string): OffsetMetadata => {
  const nothing: OffsetMetadata = { streamTimeMs: -Infinity, schedules: {} }
  if (!metadata.startsWith('{"v":1,')) return nothing
  try {
    const { t, p } = JSON.parse(metadata) as { t: number | null; p: Record<string, number> }
    return { streamTimeMs: t ?? -Infinity, schedules: p }
  } catch {
    return nothing
  }
}

/** The later of both, per entry: the partitions of one task may carry different ages. */
export const mergeOffsetMetadata = (a: OffsetMetadata, b: OffsetMetadata): OffsetMetadata => {
  const schedules: Record<string, number> = { ...a.schedules }
  for (const [name, nextMs] of Object.entries(b.schedules)) {
    schedules[name] = Math.max(nextMs, schedules[name] ?? -Infinity)
  }
  return { streamTimeMs: Math.max(a.streamTimeMs, b.streamTimeMs), schedules }
}

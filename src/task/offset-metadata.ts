/**
 * What is stored beside every committed offset: stream time, the clock, punctuation schedules.
 *
 * Travels in the transaction, so it is as durable and as exactly-once as the offset itself.
 * JSON, version 1:
 * `{"v":1,"t":<stream time ms or null>,"c":<clock ms>,"p":{"<node>.<punctuator>":<next ms>}}`.
 * `c` is absent where it was written by an earlier release, or nothing was processed yet.
 * Metadata of another writer (a plain Kafka tool that reset offsets) reads as "nothing known".
 */

export interface OffsetMetadata {
  readonly streamTimeMs: number
  /** Highest wall-clock time the task has seen, in ms; -Infinity if unknown. */
  readonly latestNowMs: number
  readonly schedules: Readonly<Record<string, number>>
}

export const encodeOffsetMetadata = (metadata: OffsetMetadata): string => {
  const { streamTimeMs, latestNowMs, schedules } = metadata
  const t = Number.isFinite(streamTimeMs) ? streamTimeMs : null
  return JSON.stringify({
    v: 1,
    t,
    ...(Number.isFinite(latestNowMs) && { c: latestNowMs }),
    p: schedules,
  })
}

export const decodeOffsetMetadata = (metadata: string): OffsetMetadata => {
  const nothing = { streamTimeMs: -Infinity, latestNowMs: -Infinity, schedules: {} }
  if (!metadata.startsWith('{"v":1,')) return nothing
  try {
    const { t, c, p } = JSON.parse(metadata) as {
      t: number | null
      c?: number
      p: Record<string, number>
    }
    return { streamTimeMs: t ?? -Infinity, latestNowMs: c ?? -Infinity, schedules: p }
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
  return {
    streamTimeMs: Math.max(a.streamTimeMs, b.streamTimeMs),
    latestNowMs: Math.max(a.latestNowMs, b.latestNowMs),
    schedules,
  }
}

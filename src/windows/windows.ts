/**
 * Kinds of windows as plain data: what `windowedStore` keeps and aggregates divide time by.
 *
 * Made by `tumbling`, `hopping`, `sliding` and `session`; read by stores and operators. All times
 * are event times in ms. 1. Bounds are checked where a kind is made. 2. Nothing here knows a
 * store, a clock or a record.
 */

/** From a start inclusive to start + size exclusive; a start at each multiple of the advance. */
export interface TimeWindows {
  readonly kind: 'tumbling' | 'hopping'
  readonly sizeMs: number
  readonly advanceMs: number
  /** How late a record may be, in stream time past the end of its window. */
  readonly graceMs: number
}

/** Every span of `withinMs`, both ends inclusive, that begins or ends at a record. */
export interface SlidingWindows {
  readonly kind: 'sliding'
  readonly withinMs: number
  readonly graceMs: number
}

/** From the first to the last of records that are at most `gapMs` apart, both inclusive. */
export interface SessionWindows {
  readonly kind: 'session'
  readonly gapMs: number
  readonly graceMs: number
}

export type Windows = TimeWindows | SlidingWindows | SessionWindows

/** The key of a windowed aggregate: the record's key with the bounds of one window in ms. */
export interface Windowed<K> {
  readonly key: K
  readonly startMs: number
  /** Exclusive for tumbling and hopping windows, else inclusive. */
  readonly endMs: number
}

/** How long after its end, in stream time, a window takes records. */
export const closeDelayMs = (windows: Windows): number =>
  windows.kind === 'session' ? windows.gapMs + windows.graceMs : windows.graceMs

/**
 * How long the start of a window must be kept (sessions: the end), so that no open one is lost.
 *
 * A record of sliding windows looks back two spans.
 */
export const openMs = (windows: Windows): number => {
  if (windows.kind === 'session') return windows.gapMs + windows.graceMs
  if (windows.kind === 'sliding') return 2 * windows.withinMs + windows.graceMs
  return windows.sizeMs + windows.graceMs
}

/** Text that changes whenever rows kept for one would be wrong for the other. */
export const layoutOf = (windows: Windows): string => {
  if (windows.kind === 'session') return `session`
  if (windows.kind === 'sliding') return `sliding-${windows.withinMs}`
  return `time-${windows.sizeMs}-${windows.advanceMs}`
}

/** @throws {RangeError} not a whole number of ms, or below `min` */
export const checkMs = (option: string, valueMs: number, min: number): void => {
  if (Number.isSafeInteger(valueMs) && valueMs >= min) return
  const most = Number.MAX_SAFE_INTEGER
  throw new RangeError(`${option} is ${valueMs}; it must be a whole number from ${min} to ${most}`)
}

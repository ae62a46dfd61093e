/**
 * Figures of a span of time, merged over all tasks, whichever instance has them.
 *
 * Called behind the HTTP routes. 1. All partitions answer or none: a sum without one of them would
 * look like a sum. 2. Every row is read once: a cursor goes on behind the last one, and windows
 * that are written meanwhile are told as they are when their page is read. 3. The sources are those
 * of the first page, so the figures are at least as fresh as they say.
 */

import { type AnswerSource, readPage, type StoreReads } from '../../../src/index.ts'
import { type FigureKind, lateKey, partsOfKey } from './figure-key.ts'
import { type FigureRow, mergeFigures, noFigures } from './figure-row.ts'
import {
  type FigureStores,
  type Granularity,
  orderFigures,
  paymentFigures,
  shippingFigures,
  stockFigures,
} from './stores.ts'

/** Whose figures: the flows count each in stores of its own. */
export type FigureSubject = 'orders' | 'payments' | 'shipping' | 'stock'

/** Whole windows. */
export interface FigureRange {
  readonly granularity: Granularity
  /** Inclusive; the start of a window. */
  readonly fromMs: number
  /** Exclusive. */
  readonly toMs: number
}

export interface FigureWindow {
  readonly startMs: number
  readonly key: string
  readonly row: FigureRow
}

export interface Figures {
  /** By start, then label; windows in which nothing was counted are left out. */
  readonly windows: readonly FigureWindow[]
  /** One for each partition. */
  readonly sources: readonly AnswerSource[]
}

/** What is broken down, by name: all of it where a name is absent. */
export type FigureFilter = Readonly<Record<string, string | undefined>>

/** A window, or a total of several, of one breakdown. */
export interface FigureView {
  readonly parts: Readonly<Record<string, string>>
  readonly row: FigureRow
}

const storesOf: Readonly<Record<FigureSubject, FigureStores>> = {
  orders: orderFigures,
  payments: paymentFigures,
  shipping: shippingFigures,
  stock: stockFigures,
}

const pageRows = 5_000

/** @throws {RuntimeError} STREAMS_PARTITION_MOVING; STREAMS_CONFIG: the shop has no analytics */
export const readFigures = async (
  reads: StoreReads,
  subject: FigureSubject,
  { granularity, fromMs, toMs }: FigureRange,
): Promise<Figures> => {
  const store = storesOf[subject][granularity]
  const read = { kind: 'windows', fromMs, toMs, limit: pageRows } as const
  const windows: FigureWindow[] = []
  const first = await readPage(reads, store, read)
  for (let page = first; ; page = await readPage(reads, store, read, { cursor: page.cursor })) {
    for (const { key, window, value } of page.rows) {
      addTo(windows, {
        startMs: window!.startMs,
        key: key as string,
        row: value as FigureRow,
      })
    }
    if (page.cursor === undefined) return { windows, sources: first.sources }
  }
}

/** Windows of one kind that pass the filter. */
export const windowsOf = (
  { windows }: Figures,
  kind: FigureKind,
  filter: FigureFilter = {},
): readonly (FigureView & { readonly startMs: number })[] =>
  windows.flatMap(({ startMs, key, row }) => {
    const parts = partsOfKey(kind, key)
    return parts !== undefined && isWanted(parts, filter) ? [{ startMs, parts, row }] : []
  })

/** Sums over time: one for each breakdown, in its order of labels. */
export const totalsOf = (windows: readonly FigureView[]): readonly FigureView[] => {
  const totals = new Map<string, FigureView>()
  for (const { parts, row } of windows) {
    const label = Object.values(parts).join('|')
    const known = totals.get(label)
    totals.set(label, { parts, row: known === undefined ? row : mergeFigures(known.row, row) })
  }
  return [...totals.keys()].toSorted().map((label) => totals.get(label)!)
}

/** How many events came after their window was forgotten, in these windows. */
export const lateIn = (figures: Figures): number =>
  windowsOf(figures, lateKey)
    .map(({ row }) => row)
    .reduce(mergeFigures, noFigures).sums['late'] ?? 0

/** Rows of one window come one after the other, a task each. */
const addTo = (windows: FigureWindow[], { startMs, key, row }: FigureWindow): void => {
  const last = windows.at(-1)
  if (last?.startMs !== startMs || last.key !== key) windows.push({ startMs, key, row })
  else windows[windows.length - 1] = { startMs, key, row: mergeFigures(last.row, row) }
}

const isWanted = (parts: Readonly<Record<string, string>>, filter: FigureFilter): boolean =>
  Object.entries(filter).every(([name, value]) => value === undefined || parts[name] === value)

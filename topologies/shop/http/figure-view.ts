/** Figures as the API shows them: every name is there, amounts are minor units, times ISO-8601. */

import { type DurationSketch, quantileMs } from '../analytics/duration-sketch.ts'
import type { FigureRow } from '../analytics/figure-row.ts'
import {
  type FigureRange,
  type FigureView,
  lateIn,
  type Figures,
  totalsOf,
} from '../analytics/read-figures.ts'
import { windowMsOf } from '../analytics/stores.ts'
import { isoTime } from '../shared/iso-time.ts'
import { sourceView } from './answer-source.ts'

type RowView = (row: FigureRow) => object

export const spanView = ({ granularity, fromMs, toMs }: FigureRange): object => ({
  granularity,
  from: isoTime(fromMs),
  to: isoTime(toMs),
})

export interface ShownWindows {
  readonly windows: readonly (FigureView & { readonly startMs: number })[]
  readonly range: FigureRange
}

/** The windows one by one, and their sums. */
export const windowsView = ({ windows, range }: ShownWindows, view: RowView): object => ({
  windows: windows.map(({ startMs, parts, row }) => ({
    start: isoTime(startMs),
    end: isoTime(startMs + windowMsOf[range.granularity]),
    ...parts,
    ...view(row),
  })),
  totals: totalsOf(windows).map(({ parts, row }) => ({ ...parts, ...view(row) })),
})

/** How whole the figures are, and as of when. */
export const freshnessView = (figures: Figures): object => ({
  late: lateIn(figures),
  sources: figures.sources.map(sourceView),
})

export const sumsView = <Name extends string>(
  { sums }: FigureRow,
  names: readonly Name[],
): Record<Name, number> =>
  Object.fromEntries(names.map((name) => [name, sums[name] ?? 0])) as Record<Name, number>

/** Quantiles are at most 4.5 % off, the rest is exact. Undefined where there is no case. */
export const durationView = (sketch: DurationSketch | undefined): object | undefined => {
  if (sketch === undefined) return undefined
  const { count, sumMs, minMs, maxMs } = sketch
  return {
    count,
    sumMs,
    minMs,
    maxMs,
    meanMs: Math.round(sumMs / count),
    p50Ms: quantileMs(sketch, 0.5),
    p95Ms: quantileMs(sketch, 0.95),
    p99Ms: quantileMs(sketch, 0.99),
  }
}

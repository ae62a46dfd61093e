/**
 * What was counted in one window under one label, by one task: named sums, and durations.
 *
 * Written by `count-fact.ts`, merged over tasks by `read-figures.ts`. Sums and sketches add up, so
 * rows of different tasks and windows can be put together in any order. A name that is absent is 0.
 */

import { columns } from '../../../src/index.ts'
import { type DurationSketch, mergeSketches, sketchOf } from './duration-sketch.ts'

export interface FigureRow {
  /** Whole numbers: cases, units, minor units of a currency. */
  readonly sums: Readonly<Record<string, number>>
  readonly durations?: Readonly<Record<string, DurationSketch>>
}

/** What one event adds. */
export interface Fact {
  /** Label of the row, see `figure-key.ts`. */
  readonly key: string
  /** Event time: decides about the window. */
  readonly atMs: number
  readonly sums: Readonly<Record<string, number>>
  /** In ms; negative ones, of a clock that was set back, count as 0. */
  readonly durationsMs?: Readonly<Record<string, number>>
}

/** Columns may be added at the end. */
export const figureRows = columns<FigureRow>('figures/1', { sums: 'json', durations: 'json' })

export const noFigures: FigureRow = { sums: {} }

export const withFact = (
  row: FigureRow | undefined,
  { sums, durationsMs }: Pick<Fact, 'sums' | 'durationsMs'>,
): FigureRow => {
  const added = durationsMs === undefined ? { sums } : { sums, durations: sketches(durationsMs) }
  return row === undefined ? added : mergeFigures(row, added)
}

export const mergeFigures = (a: FigureRow, b: FigureRow): FigureRow => {
  const sums = merged(a.sums, b.sums, (x, y) => x + y)
  if (b.durations === undefined) return { ...a, sums }
  if (a.durations === undefined) return { ...b, sums }
  return { sums, durations: merged(a.durations, b.durations, mergeSketches) }
}

const merged = <T>(
  a: Readonly<Record<string, T>>,
  b: Readonly<Record<string, T>>,
  join: (x: T, y: T) => T,
): Record<string, T> => {
  const result: Record<string, T> = { ...a }
  for (const name in b) {
    const known = result[name]
    result[name] = known === undefined ? b[name]! : join(known, b[name]!)
  }
  return result
}

const sketches = (durationsMs: Readonly<Record<string, number>>): Record<string, DurationSketch> =>
  Object.fromEntries(
    Object.entries(durationsMs).map(([name, ms]) => [name, sketchOf(Math.max(0, ms))]),
  )

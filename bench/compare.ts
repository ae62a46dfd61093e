/**
 * Two sets of runs side by side: per benchmark and figure the ratio of medians, and the spread.
 *
 * Called by `main.ts` with files of JSON lines as `report.ts` prints them. 1. Only runs of the
 * same name and note meet: a note holds the settings, and other settings are another benchmark.
 * 2. Nothing is judged: a ratio within the spread of the runs says little, and it is shown.
 */

import { readFileSync } from 'node:fs'
import { UsageError } from '../src/config/usage-error.ts'
import { table } from '../src/cli/table.ts'

/** One line of a file: what `report` prints, as far as a comparison needs it. */
export interface BenchRun {
  readonly name: string
  readonly note?: string
  readonly figures: Readonly<Record<string, number>>
  readonly machine: { readonly cpu: string; readonly cores: number; readonly memoryBytes: number }
  readonly node: string
}

/** Of the values of one figure over the runs of one side. */
export interface Spread {
  readonly runs: number
  readonly median: number
  readonly min: number
  readonly max: number
}

export interface FigureRatio {
  /** Name and note of the benchmark. */
  readonly bench: string
  readonly figure: string
  readonly a: Spread
  readonly b: Spread
  /** Median of B to median of A; 1 if both are 0, `Infinity` if only that of A is. */
  readonly ratio: number
}

export interface Comparison {
  readonly figures: readonly FigureRatio[]
  /** What keeps the two sides from being compared as they are. */
  readonly warnings: readonly string[]
}

/** @throws {UsageError} the file cannot be read, or a line is not of a benchmark */
export const readRuns = (path: string): readonly BenchRun[] => {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new UsageError(`${path} cannot be read: ${(error as Error).message}`)
  }
  const runs = text
    .split('\n')
    .flatMap((line, index) => (line.trim() === '' ? [] : [runOf(line, `${path}:${index + 1}`)]))
  if (runs.length === 0) throw new UsageError(`${path} has no runs`)
  return runs
}

const runOf = (line: string, place: string): BenchRun => {
  let found: unknown
  try {
    found = JSON.parse(line)
  } catch (error) {
    throw new UsageError(`${place} is no JSON: ${(error as Error).message}`)
  }
  if (isRun(found)) return found
  throw new UsageError(
    `${place} is no run of a benchmark: name, figures, machine and node are wanted`,
  )
}

/** A figure that is not a number is null in JSON: that run has none of it. */
const isRun = (found: unknown): found is BenchRun => {
  if (!isObject(found)) return false
  const { name, note, figures, machine, node } = found
  return (
    typeof name === 'string'
    && (note === undefined || typeof note === 'string')
    && isObject(figures)
    && Object.values(figures).every((value) => value === null || typeof value === 'number')
    && isObject(machine)
    && typeof node === 'string'
  )
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const compareRuns = (a: readonly BenchRun[], b: readonly BenchRun[]): Comparison => {
  const [byA, byB] = [Map.groupBy(a, benchOf), Map.groupBy(b, benchOf)]
  const both = [...byA.keys()].filter((bench) => byB.has(bench))
  return {
    figures: both.flatMap((bench) => figureRatios(bench, byA.get(bench)!, byB.get(bench)!)),
    warnings: [
      ...onlyIn('A', byA, byB),
      ...onlyIn('B', byB, byA),
      ...differing('machines', a, b, ({ machine: { cpu, cores, memoryBytes } }) => {
        return `${cpu}, ${cores} cores, ${(memoryBytes / 2 ** 30).toFixed(1)} GiB`
      }),
      ...differing('Node versions', a, b, ({ node }) => node),
    ],
  }
}

const benchOf = ({ name, note }: BenchRun): string =>
  note === undefined ? name : `${name} (${note})`

const figureRatios = (
  bench: string,
  a: readonly BenchRun[],
  b: readonly BenchRun[],
): readonly FigureRatio[] => {
  const figures = new Set([...a, ...b].flatMap((run) => Object.keys(run.figures)))
  return [...figures].flatMap((figure) => {
    const [ofA, ofB] = [spreadOf(a, figure), spreadOf(b, figure)]
    if (ofA === undefined || ofB === undefined) return []
    const ratio = ofB.median === ofA.median ? 1 : ofB.median / ofA.median
    return [{ bench, figure, a: ofA, b: ofB, ratio }]
  })
}

const spreadOf = (runs: readonly BenchRun[], figure: string): Spread | undefined => {
  const values = runs
    .map(({ figures }) => figures[figure])
    .filter((value) => typeof value === 'number')
    .toSorted((x, y) => x - y)
  if (values.length === 0) return undefined
  const [low, high] = [values[(values.length - 1) >> 1]!, values[values.length >> 1]!]
  return { runs: values.length, median: (low + high) / 2, min: values[0]!, max: values.at(-1)! }
}

const onlyIn = (
  side: string,
  runs: ReadonlyMap<string, unknown>,
  others: ReadonlyMap<string, unknown>,
): readonly string[] =>
  [...runs.keys()].filter((bench) => !others.has(bench)).map((bench) => `only in ${side}: ${bench}`)

const differing = (
  what: string,
  a: readonly BenchRun[],
  b: readonly BenchRun[],
  of: (run: BenchRun) => string,
): readonly string[] => {
  const [ofA, ofB] = [a, b].map((runs) => [...new Set(runs.map(of))].toSorted().join('; '))
  return ofA === ofB ? [] : [`the ${what} differ: ${ofA} in A, ${ofB} in B`]
}

/** For people: the warnings, then a row per figure. */
export const comparisonText = ({ figures, warnings }: Comparison): string => {
  const benches = Map.groupBy(figures, ({ bench }) => bench)
  const tables = [...benches].map(([bench, rows]) => {
    const lines = rows.map(({ figure, a, b, ratio }) => {
      return [`  ${figure}`, ratio.toFixed(3), spreadText(a), spreadText(b)]
    })
    return `${bench}\n${table([['  figure', 'B/A', 'A median (min–max)', 'B'], ...lines])}`
  })
  return [...warnings.map((warning) => `*** ${warning}`), ...tables].join('\n')
}

const spreadText = ({ runs, median, min, max }: Spread): string =>
  `${short(median)} (${short(min)}–${short(max)}, ${runs} run${runs === 1 ? '' : 's'})`

const short = (value: number): string =>
  Number(value.toPrecision(4)).toLocaleString('en-US', { maximumFractionDigits: 6 })

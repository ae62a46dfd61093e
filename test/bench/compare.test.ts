/**
 * Goal: a comparison shows ratios of medians with their spread and what makes sides unlike, and
 * refuses what it cannot read. Method: small files of runs, as `report` prints them.
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { type BenchRun, compareRuns, comparisonText, readRuns } from '../../bench/compare.ts'
import { benchesIn, findBench } from '../../bench/catalogue.ts'

const folder = mkdtempSync(join(tmpdir(), 'millrace-compare-'))
afterAll(() => rmSync(folder, { recursive: true }))

const machine = { cpu: 'a CPU', cores: 2, memoryBytes: 2 ** 34 }
const run = (perSec: number, changed: Partial<BenchRun> = {}): BenchRun => ({
  name: 'macro/x',
  figures: { perSec },
  machine,
  node: 'v24.1.0',
  ...changed,
})

describe('a comparison of runs', () => {
  it('is the ratio of medians, with the spread of each side', () => {
    const { figures, warnings } = compareRuns([run(100), run(300), run(110)], [run(200), run(240)])
    expect(warnings).toEqual([])
    expect(figures).toEqual([
      {
        bench: 'macro/x',
        figure: 'perSec',
        a: { runs: 3, median: 110, min: 100, max: 300 },
        b: { runs: 2, median: 220, min: 200, max: 240 },
        ratio: 2,
      },
    ])
  })

  it('compares only runs with the same settings, and says which stay alone', () => {
    const { figures, warnings } = compareRuns(
      [run(1), run(5, { note: 'w1' })],
      [run(1), run(9, { note: 'w2' })],
    )
    expect(figures.map(({ bench, ratio }) => [bench, ratio])).toEqual([['macro/x', 1]])
    expect(warnings).toEqual(['only in A: macro/x (w1)', 'only in B: macro/x (w2)'])
  })

  it('says when machines or Node versions differ', () => {
    const other = { ...machine, cores: 64 }
    const { warnings } = compareRuns([run(1)], [run(2, { machine: other, node: 'v26.0.0' })])
    expect(warnings).toEqual([
      'the machines differ: a CPU, 2 cores, 16.0 GiB in A, a CPU, 64 cores, 16.0 GiB in B',
      'the Node versions differ: v24.1.0 in A, v26.0.0 in B',
    ])
  })

  it('leaves out a figure that a side has not, and is 1 for two zeros', () => {
    const a = run(0, { figures: { lost: 0, onlyA: 7 } })
    const b = run(0, { figures: { lost: 0, onlyB: 7 } })
    expect(compareRuns([a], [b]).figures.map(({ figure, ratio }) => [figure, ratio])).toEqual([
      ['lost', 1],
    ])
  })

  it('is a table for people', () => {
    expect(comparisonText(compareRuns([run(1_000), run(3_000)], [run(500)]))).toBe(
      [
        'macro/x',
        '  figure  B/A    A median (min–max)           B',
        '  perSec  0.250  2,000 (1,000–3,000, 2 runs)  500 (500–500, 1 run)',
      ].join('\n'),
    )
  })
})

describe('a file of runs', () => {
  const fileOf = (text: string): string => {
    const path = join(folder, 'runs.jsonl')
    writeFileSync(path, text)
    return path
  }

  it('is read line by line; what is not a number is no figure', () => {
    const line = JSON.stringify(run(5, { figures: { perSec: 5, p50Ms: Number.NaN } }))
    const runs = readRuns(fileOf(`${line}\n\n${line}\n`))
    expect(runs).toHaveLength(2)
    expect(compareRuns(runs, runs).figures.map(({ figure }) => figure)).toEqual(['perSec'])
  })

  it.each([
    ['', /has no runs/],
    ['{"name":', /:1 is no JSON/],
    [`${JSON.stringify(run(1))}\n{"kind":"drain"}`, /:2 is no run of a benchmark/],
    [JSON.stringify({ ...run(1), figures: { perSec: 'fast' } }), /is no run of a benchmark/],
  ])('is refused: %j', (text, reason) => {
    expect(() => readRuns(fileOf(text))).toThrow(reason)
  })

  it('is refused if it is not there', () => {
    expect(() => readRuns(join(folder, 'none.jsonl'))).toThrow(/none.jsonl cannot be read/)
  })
})

describe('the catalogue', () => {
  const benches = benchesIn(join(import.meta.dirname, '..', '..', 'bench'))

  it('has each benchmark with what it measures, and none of their parts', () => {
    const names = benches.map(({ name }) => name)
    expect(names).toContain('macro/shop-flow')
    expect(names).not.toContain('macro/shop-rig')
    expect(names).not.toContain('engine')
    expect(benches.filter(({ measures }) => measures === '')).toEqual([])
    expect(findBench(benches, 'bench/micro/operator-chain.ts').measures).toBe(
      'What five stateless nodes cost per record, with every guard of the kernel on.',
    )
  })

  it('says the nearest of a name that is not there', () => {
    expect(() => findBench(benches, 'macro/shop-flwo')).toThrow(/did you mean 'macro\/shop-flow'/)
    expect(() => findBench(benches, 'restor')).toThrow(/did you mean 'macro\/restore'/)
  })
})

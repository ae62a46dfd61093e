/**
 * Which benchmarks there are, and what each measures in one line.
 *
 * Read from the files: a benchmark is a file of `bench/` that prints through `report.ts`, its line
 * the first paragraph of its header comment. Nothing is registered anywhere.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { UsageError } from '../src/config/usage-error.ts'
import { nearest } from '../src/config/nearest.ts'

export interface Bench {
  /** As `npm run bench -- NAME` takes it: `micro/operator-chain`. */
  readonly name: string
  readonly file: string
  readonly measures: string
}

const printsReport = /^import .* from '(\.\.?\/)+report\.ts'$/m

/** All benchmarks below a folder, by name. */
export const benchesIn = (folder: string): readonly Bench[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .toSorted()
    .flatMap((path) => {
      const file = join(folder, path)
      const text = readFileSync(file, 'utf8')
      if (!printsReport.test(text)) return []
      const name = path.slice(0, -'.ts'.length).replaceAll('\\', '/')
      return [{ name, file, measures: firstParagraph(text) }]
    })

/**
 * The benchmark of that name; `bench/` before it and `.ts` behind it may be there.
 *
 * @throws {UsageError} there is none: the message says the nearest
 */
export const findBench = (benches: readonly Bench[], wanted: string): Bench => {
  const name = wanted.replace(/^bench\/|\.ts$/g, '')
  const found = benches.find((bench) => bench.name === name)
  if (found !== undefined) return found
  const close = nearestName(benches, name)
  const hint = close === undefined ? '' : `; did you mean '${close}'?`
  throw new UsageError(`there is no benchmark '${wanted}'${hint}`)
}

/** A name without its room is compared without the rooms, or `serde` would be near to none. */
const nearestName = (benches: readonly Bench[], wanted: string): string | undefined => {
  const isWhole = wanted.includes('/')
  const shown = new Map(benches.map(({ name }) => [isWhole ? name : name.split('/').at(-1)!, name]))
  const close = nearest(wanted, shown.keys())
  return close === undefined ? undefined : shown.get(close)
}

const firstParagraph = (text: string): string => {
  const comment = /^\/\*\*(.*?)\*\//s.exec(text)?.[1] ?? ''
  const lines = comment.split('\n').map((line) => line.replace(/^\s*\* ?/, '').trim())
  const from = lines.findIndex((line) => line !== '')
  if (from < 0) return ''
  const to = lines.indexOf('', from)
  return lines.slice(from, to < 0 ? undefined : to).join(' ')
}

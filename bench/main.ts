/**
 * `npm run bench -- list | compare A.jsonl B.jsonl | NAME [arguments]`: the benchmarks' front door.
 *
 * Started by `scripts/run.mjs`. 1. A benchmark runs in this process, which has done nothing else;
 * its settings are environment variables that its header names. 2. stdout carries its JSON lines,
 * or what was asked for. 3. Exit status 2: a name, or a file to compare, that is no good.
 */

import { pathToFileURL } from 'node:url'
import { table } from '../src/cli/table.ts'
import { UsageError } from '../src/config/usage-error.ts'
import { benchesIn, findBench } from './catalogue.ts'
import { compareRuns, comparisonText, readRuns } from './compare.ts'

const list = (): void => {
  const rows = benchesIn(import.meta.dirname).map(({ name, measures }) => [name, measures])
  process.stdout.write(`${table(rows)}\n`)
}

const compare = (files: readonly string[]): void => {
  const [a, b] = files
  if (a === undefined || b === undefined || files.length > 2) {
    throw new UsageError('compare takes two files of JSON lines')
  }
  process.stdout.write(`${comparisonText(compareRuns(readRuns(a), readRuns(b)))}\n`)
}

const main = async ([verb = 'list', ...args]: readonly string[]): Promise<void> => {
  if (verb === 'list') return list()
  if (verb === 'compare') return compare(args)
  const { file } = findBench(benchesIn(import.meta.dirname), verb)
  process.argv.splice(1, process.argv.length - 1, file, ...args) // as if it had been started itself
  await import(pathToFileURL(file).href)
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  process.stderr.write(`bench: ${error.message}\n`)
  process.stderr.write(
    'usage: npm run bench -- list | compare A.jsonl B.jsonl | NAME [arguments]\n',
  )
  process.exitCode = 2
}

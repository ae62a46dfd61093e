/**
 * What a soak looks at: memory, files, cursors and waiting records of this process, as numbers.
 *
 * Used by the soak every few seconds. One sample costs a few ms, most of it the sizes of the files.
 */

import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { engineMemoryBytes, figuresOf, type FigureSource } from '../../state/engine-figures.ts'
import type { EmbeddedBroker } from '../../src/broker/embedded/embedded-broker.ts'
import type { Application } from '../../src/index.ts'

export interface SampledParts {
  readonly application: Application
  readonly broker: EmbeddedBroker
  readonly engine: FigureSource
  /** Of both databases. */
  readonly directory: string
}

const mebibyte = 1_048_576

/** By how much each figure may rise for reasons that come and go; see `soak-verdict.ts`. */
export const slackOf = {
  rssBytes: 24 * mebibyte,
  heapUsedBytes: 24 * mebibyte, // between two collections
  heapRetainedBytes: 6 * mebibyte,
  externalBytes: 16 * mebibyte,
  stateMemoryBytes: 4 * mebibyte,
  decodedRowsBytes: mebibyte,
  pinnedBytes: mebibyte,
  openIterators: 4,
  openFiles: 16,
  tableFiles: 16,
  diskBytes: 48 * mebibyte, // logs before a flush, tables before a compaction
  lagRecords: 1_000,
} as const

export type SoakFigure = keyof typeof slackOf
export type SoakSample = Readonly<Record<Exclude<SoakFigure, 'heapRetainedBytes'>, number>>

export const takeSample = (parts: SampledParts): SoakSample => {
  const { application, broker, engine, directory } = parts
  const databases = [engine, broker.figures.database]
  const { rss, heapUsed, external } = process.memoryUsage()
  const inDatabases = databases.reduce((sum, database) => sum + engineMemoryBytes(database), 0)
  const decodedRowsBytes = application.slotCache().bytes
  const figures = databases.map((database) => figuresOf(database))
  const sum = (name: string): number =>
    figures.reduce((total, figure) => total + (figure.get(name) ?? 0), 0)
  return {
    rssBytes: rss,
    heapUsedBytes: heapUsed,
    externalBytes: external,
    stateMemoryBytes: inDatabases + decodedRowsBytes + broker.figures.logCacheBytes,
    decodedRowsBytes,
    pinnedBytes: sum('block_cache_pinned_usage_bytes'),
    openIterators: sum('open_iterators'),
    openFiles: openFiles(),
    tableFiles: sum('num_files'),
    diskBytes: diskBytes(directory),
    lagRecords: application.lagRecords(),
  }
}

/** What is reachable: a full collection first, some 50 ms of the main thread. */
export const heapRetainedBytes = (): number => {
  collect()
  return process.memoryUsage().heapUsed
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Handles of this process; 0 where the system does not list them. */
const openFiles = (): number => {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return 0
  }
}

const diskBytes = (directory: string): number => {
  let bytes = 0
  for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    const stats = statSync(join(directory, name), { throwIfNoEntry: false })
    if (stats?.isFile() === true) bytes += stats.size // it may have been deleted meanwhile
  }
  return bytes
}

/**
 * What a RocksDB tells of itself, as numbers under the names that operators see.
 *
 * Read by `/metrics` and by the soak, through `Engine.property`: about half a microsecond each, no
 * lock that a writer holds. 1. An engine that does not know a figure has none: another engine than
 * RocksDB shows fewer. 2. Names are Kafka Streams' where it has such a figure, with the unit.
 */

import type { Engine } from './engine.ts'

export type FigureSource = Pick<Engine, 'property'>

export interface EngineFigure {
  readonly name: string
  readonly help: string
  readonly kind: 'gauge' | 'counter'
  /** Undefined if this engine does not know it. */
  read(engine: FigureSource): number | undefined
}

const levels = 7 // of a RocksDB, unless configured otherwise

const numberOf = (text: string | undefined): number | undefined => {
  const value = text === undefined ? NaN : Number(text)
  return Number.isFinite(value) ? value : undefined
}

const gauge = (name: string, property: string, help: string): EngineFigure => ({
  name,
  help,
  kind: 'gauge',
  read: (engine) => numberOf(engine.property(property)),
})

/** RocksDB counts them in a text of `name: count, …`. */
const stalls = (name: string, key: string, help: string): EngineFigure => ({
  name,
  help,
  kind: 'counter',
  read: (engine) => {
    const text = engine.property('rocksdb.cf-write-stall-stats')
    return numberOf(new RegExp(`\\b${key}: (\\d+)`).exec(text ?? '')?.[1])
  },
})

const files: EngineFigure = {
  name: 'num_files',
  help: 'Table files of all levels.',
  kind: 'gauge',
  read: (engine) => {
    let sum: number | undefined
    for (let level = 0; level < levels; level++) {
      const count = numberOf(engine.property(`rocksdb.num-files-at-level${level}`))
      if (count !== undefined) sum = (sum ?? 0) + count
    }
    return sum
  },
}

export const engineFigures: readonly EngineFigure[] = [
  gauge('estimate_num_keys', 'rocksdb.estimate-num-keys', 'Rows, by estimate.'),
  gauge(
    'estimate_live_data_size_bytes',
    'rocksdb.estimate-live-data-size',
    'Bytes of rows in files, by estimate.',
  ),
  gauge('block_cache_capacity_bytes', 'rocksdb.block-cache-capacity', 'Bound of the block cache.'),
  gauge('block_cache_usage_bytes', 'rocksdb.block-cache-usage', 'In the block cache.'),
  gauge(
    'block_cache_pinned_usage_bytes',
    'rocksdb.block-cache-pinned-usage',
    'Of it what readers hold now, which cannot be evicted.',
  ),
  gauge(
    'size_all_mem_tables_bytes',
    'rocksdb.size-all-mem-tables',
    'Memtables: active, waiting to be flushed, and held by iterators.',
  ),
  gauge(
    'num_immutable_mem_table',
    'rocksdb.num-immutable-mem-table',
    'Memtables that wait to be flushed.',
  ),
  gauge(
    'estimate_table_readers_mem_bytes',
    'rocksdb.estimate-table-readers-mem',
    'Readers of table files, beside the block cache.',
  ),
  gauge('total_sst_files_size_bytes', 'rocksdb.total-sst-files-size', 'All table files on disk.'),
  gauge('live_sst_files_size_bytes', 'rocksdb.live-sst-files-size', 'Table files in use.'),
  files,
  gauge(
    'estimate_pending_compaction_bytes',
    'rocksdb.estimate-pending-compaction-bytes',
    'To be rewritten until all levels are in shape.',
  ),
  gauge('num_running_compactions', 'rocksdb.num-running-compactions', 'Compactions now.'),
  gauge('num_running_flushes', 'rocksdb.num-running-flushes', 'Flushes now.'),
  gauge('is_write_stopped', 'rocksdb.is-write-stopped', '1 while writers have to wait.'),
  gauge(
    'actual_delayed_write_rate_bytes',
    'rocksdb.actual-delayed-write-rate',
    'Bytes per second that writers are slowed to; 0 if they are not.',
  ),
  stalls('write_delays_total', 'total-delays', 'Times writers were slowed down.'),
  stalls('write_stops_total', 'total-stops', 'Times writers were stopped.'),
  gauge('background_errors', 'rocksdb.background-errors', 'Flushes and compactions that failed.'),
  gauge('num_live_versions', 'rocksdb.num-live-versions', 'Sets of files that somebody reads.'),
  gauge('open_iterators', 'millrace.open-iterators', 'Open cursors, those of snapshots included.'),
  gauge('open_snapshots', 'millrace.open-snapshots', 'Open snapshots.'),
]

/** By name, those that the engine knows. */
export const figuresOf = (engine: FigureSource): ReadonlyMap<string, number> => {
  const found = new Map<string, number>()
  for (const { name, read } of engineFigures) {
    const value = read(engine)
    if (value !== undefined) found.set(name, value)
  }
  return found
}

/** What the engine holds in memory: its share of the budget, as far as it tells. */
export const engineMemoryBytes = (engine: FigureSource): number =>
  ['block-cache-usage', 'size-all-mem-tables', 'estimate-table-readers-mem'].reduce(
    (sum, name) => sum + (numberOf(engine.property(`rocksdb.${name}`)) ?? 0),
    0,
  )

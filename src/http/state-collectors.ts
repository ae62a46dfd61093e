/**
 * The figures of stores, their databases and the memory budget, read at each scrape.
 *
 * Added to the registry of `prometheus.ts`. Stores are summed over the tasks of this instance;
 * a database is the one of the stores or the embedded broker's. `docs/metrics.md` explains each.
 */

import { Counter, Gauge, type Registry } from 'prom-client'
import { engineFigures, engineMemoryBytes, type FigureSource } from '../../state/engine-figures.ts'
import type { StoreMetrics } from '../runtime/store-metrics.ts'

export interface StateSources {
  stores(): ReadonlyMap<string, StoreMetrics>
  /** By the name of their label: `state`, `broker`. */
  readonly databases: Readonly<Record<string, FigureSource>>
  /** What `--state-memory` allows. */
  readonly budgetBytes: number
  /** Memory by part of the budget, beside the databases. */
  parts(): Readonly<Record<string, number>>
}

type StoreFigure = readonly [name: string, help: string, read: (store: StoreMetrics) => number]

const storeCounters: readonly StoreFigure[] = [
  ['gets_total', 'Reads of one row.', ({ counters }) => counters.gets],
  [
    'cache_hits_total',
    'Of these, answered from decoded rows in memory.',
    ({ counters }) => counters.gets - counters.getMisses,
  ],
  ['cache_misses_total', 'Of these, asked of the database.', ({ counters }) => counters.getMisses],
  ['prefetched_total', 'Rows read ahead, many at once.', ({ counters }) => counters.prefetched],
  ['puts_total', 'Rows written.', ({ counters }) => counters.puts],
  ['deletes_total', 'Rows deleted.', ({ counters }) => counters.deletes],
  ['ranges_total', 'Scans begun.', ({ counters }) => counters.ranges],
  ['restored_records_total', 'Changelog records applied.', (store) => store.restoredRecords],
]

const storeGauges: readonly StoreFigure[] = [
  ['cached_rows', 'Decoded rows in memory.', (store) => store.cachedRows],
  ['cached_bytes', 'What they take, by estimate.', (store) => store.cachedBytes],
  ['dirty_rows', 'Written since the last commit.', (store) => store.dirtyRows],
  [
    'restore_remaining_offsets',
    'Changelog offsets still to be read before the tasks run.',
    (store) => store.restoreOffsetsLeft,
  ],
]

export const collectState = (registry: Registry, sources: StateSources): void => {
  for (const figure of storeCounters) addStoreFigure(registry, sources, { figure, kind: Counter })
  for (const figure of storeGauges) addStoreFigure(registry, sources, { figure, kind: Gauge })
  for (const figure of engineFigures) addEngineFigure(registry, sources, figure)
  addMemory(registry, sources)
}

const addStoreFigure = (
  registry: Registry,
  { stores }: StateSources,
  {
    figure: [name, help, read],
    kind: Metric,
  }: { readonly figure: StoreFigure; readonly kind: typeof Counter | typeof Gauge },
): void => {
  new Metric({
    name: `millrace_store_${name}`,
    help,
    labelNames: ['store'],
    registers: [registry],
    collect() {
      this.reset()
      for (const [store, metrics] of stores()) this.inc({ store }, read(metrics))
    },
  })
}

const addEngineFigure = (
  registry: Registry,
  { databases }: StateSources,
  { name, help, kind, read }: (typeof engineFigures)[number],
): void => {
  const Metric = kind === 'counter' ? Counter : Gauge
  new Metric({
    name: `millrace_rocksdb_${name}`,
    help,
    labelNames: ['database'],
    registers: [registry],
    collect() {
      this.reset()
      for (const [database, engine] of Object.entries(databases)) {
        const value = read(engine)
        if (value !== undefined) this.inc({ database }, value)
      }
    },
  })
}

const addMemory = (registry: Registry, { databases, parts, budgetBytes }: StateSources): void => {
  new Gauge({
    name: 'millrace_state_memory_bytes',
    help: 'Memory that state takes, by part of the budget.',
    labelNames: ['part'],
    registers: [registry],
    collect() {
      for (const [part, bytes] of Object.entries(parts())) this.set({ part }, bytes)
      for (const [name, engine] of Object.entries(databases)) {
        this.set({ part: `${name}-database` }, engineMemoryBytes(engine))
      }
    },
  })
  new Gauge({
    name: 'millrace_state_memory_budget_bytes',
    help: 'What all of it together may take: --state-memory.',
    registers: [registry],
    collect() {
      this.set(budgetBytes)
    },
  })
}

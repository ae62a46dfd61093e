/** What a family of topologies gives the replay: a topology of ours for the recorded parameters. */

import {
  nullable,
  type StreamRecord,
  type TableReader,
  type TableStore,
  topic,
  type Topic,
  utf8,
  type VersionedStore,
} from '../../src/index.ts'
import type { TopologyDriver } from '../../src/testing/index.ts'
import type { Topology } from '../../src/topology/topology.ts'
import type { Key, Params, StoreRow } from './vector-case.ts'

export interface Built {
  readonly topology: Topology
  /** Every topic it writes, decoded by what the operators wrote with. */
  readonly outputs: readonly OutputTopic[]
  /** Committed rows of each recorded store, in any order. */
  readonly stores?: Readonly<Record<string, (driver: TopologyDriver) => readonly StoreRow[]>>
}

export interface OutputTopic {
  readonly topic: Topic<unknown, unknown>
  readonly keyOf: (key: unknown) => Key
}

/** By topology name, as recorded. */
export type Family = Readonly<Record<string, (params: Params) => Built>>

/** Text with nulls: every recorded input, and most outputs. */
export const textTopic = (name: string): Topic<string, string | undefined> =>
  topic(name, { key: utf8, value: nullable(utf8) })

export const textOutput = (output: Topic<string, string | undefined>): OutputTopic => ({
  topic: output as Topic<unknown, unknown>,
  keyOf: (key) => (key ?? null) as string | null,
})

/** Of a record as read from an output. */
export const valueOf = ({ value }: StreamRecord<unknown, unknown>): string | null =>
  value === undefined || value === null ? null : String(value)

/** Rows of a recorded store of text: a table's or a versioned one's latest. */
export const textRows =
  (store: TableStore<string, string> | VersionedStore<string, string>) =>
  (driver: TopologyDriver): readonly StoreRow[] =>
    driver
      .query<unknown, TableReader<string, string>>(store)
      .byPartition()
      .flatMap(({ reader }) =>
        [...reader.range()].map(([key, { value, timestampMs }]): StoreRow => [
          key,
          value,
          timestampMs,
        ]),
      )

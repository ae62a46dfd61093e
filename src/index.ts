/** The public API and nothing else; topologies import no other file of the runner. */

export type { Observable } from 'rxjs'
export { days, hours, minutes, seconds } from './durations.ts'
export { RecordError, type RecordPosition, RuntimeError, TopologyError } from './errors/classes.ts'
export type {
  ErrorAction,
  RecordErrorCode,
  RuntimeErrorCode,
  TopologyErrorCode,
} from './errors/codes.ts'
export { aggregate } from './operators/aggregate.ts'
export { branch, type Branches, type BranchTests } from './operators/branch.ts'
export { aggregateGroups, type GroupFolds } from './operators/aggregate-groups.ts'
export type { EmitOptions, SessionOptions } from './operators/aggregation/fold.ts'
export type { KeyAggregateStore } from './operators/aggregation/key-aggregation.ts'
export { cogroup, type CogroupInput, folding } from './operators/cogroup.ts'
export { count } from './operators/count.ts'
export { countGroups } from './operators/count-groups.ts'
export { distinctBy } from './operators/distinct-by.ts'
export { effect, type EffectOptions, type EffectResult } from './operators/effect.ts'
export { filter } from './operators/filter.ts'
export { groupTable } from './operators/group-table.ts'
export { flatMap } from './operators/flat-map.ts'
export { flatMapValues } from './operators/flat-map-values.ts'
export { filterTable } from './operators/filter-table.ts'
export { globalTable, type GlobalTable } from './operators/global-table.ts'
export { joinGlobal } from './operators/join-global.ts'
export { joinTable } from './operators/join-table.ts'
export { joinTables } from './operators/join-tables.ts'
export { joinWithin } from './operators/join-within.ts'
export { joinTablesByForeignKey } from './operators/join-tables-by-foreign-key.ts'
export type { ForeignKey } from './operators/foreign-key-join.ts'
export { leftJoinGlobal } from './operators/left-join-global.ts'
export { leftJoinTable } from './operators/left-join-table.ts'
export { leftJoinTables } from './operators/left-join-tables.ts'
export { leftJoinTablesByForeignKey } from './operators/left-join-tables-by-foreign-key.ts'
export { leftJoinWithin } from './operators/left-join-within.ts'
export { mapRecord } from './operators/map-record.ts'
export { mapValues } from './operators/map-values.ts'
export { mapTableValues } from './operators/map-table-values.ts'
export { merge } from './operators/merge.ts'
export { ofKind } from './operators/of-kind.ts'
export { outerJoinTables } from './operators/outer-join-tables.ts'
export { outerJoinWithin } from './operators/outer-join-within.ts'
export { peek } from './operators/peek.ts'
export {
  process,
  type ProcessContext,
  type Processor,
  type ProcessorPunctuator,
} from './operators/process.ts'
export { reduce } from './operators/reduce.ts'
export { reduceGroups } from './operators/reduce-groups.ts'
export { repartitionBy } from './operators/repartition-by.ts'
export { stream } from './operators/stream.ts'
export { type AnyTableStore, table, type Table } from './operators/table.ts'
export {
  suppress,
  type TimeLimit,
  untilTimeLimit,
  untilWindowCloses,
  type WindowCloseLimit,
} from './operators/suppress.ts'
export { to } from './operators/to.ts'
export { toDynamic } from './operators/to-dynamic.ts'
export { toTable } from './operators/to-table.ts'
export { toStream } from './operators/to-stream.ts'
export type { RouteDoc } from './http/openapi/route-doc.ts'
export { PeerQueries } from './http/peer-queries.ts'
export type { ProblemKind } from './http/problem.ts'
export type {
  AnswerSource,
  FoundRow,
  PartitionAnswer,
  PartitionRead,
} from './queries/partition-read.ts'
export type { QueryRouter } from './queries/query-router.ts'
export {
  type PartitionRow,
  readEverywhere,
  readPage,
  type StorePage,
} from './queries/store-page.ts'
export type { StoreReads } from './queries/store-reads.ts'
export { Application, type ApplicationOptions } from './runtime/application.ts'
export type { ApplicationState } from './runtime/application-state.ts'
export { StoreQuery } from './runtime/queries.ts'
export type { RuntimeMetrics } from './runtime/runtime-metrics.ts'
export type { FailureClass, FailureClasses } from './errors/failure-class.ts'
export { type HandlerAnswer, runtimeOptions, type RuntimeConfig } from './runtime-config.ts'
export { type Clock, systemClock } from './clock.ts'
export type { Logger } from './logger.ts'
export type { Header, Headers, StreamRecord } from './record.ts'
export {
  type AvroOptions,
  type AvroSchema,
  type AvroSerde,
  avroSerde,
  type SubjectNaming,
} from './serde/avro.ts'
export { bytes } from './serde/bytes.ts'
export { type Column, type Columns, columns } from './serde/columns.ts'
export { int64 } from './serde/int64.ts'
export { json, type JsonSerde } from './serde/json.ts'
export { nullable } from './serde/nullable.ts'
export { replacement, type Replacement } from './serde/replacement.ts'
export type { Serde, SerdePlace, Serdes, SerdeSchemas } from './serde/serde.ts'
export { windowed } from './serde/windowed.ts'
export { utf8 } from './serde/utf8.ts'
export { SchemaRegistryError, type SchemaRegistryErrorCode } from './schema-registry/errors.ts'
export { HttpRegistry, type HttpRegistryOptions } from './schema-registry/http-registry.ts'
export type { SchemaRegistry } from './schema-registry/port.ts'
export { SchemaSession, type SchemaSessionOptions } from './schema-registry/schema-session.ts'
export {
  type ForeignKeyReader,
  foreignKeyStore,
  type ForeignKeyStore,
} from './stores/foreign-key-store.ts'
export { type DistinctReader, distinctStore, type DistinctStore } from './stores/distinct-store.ts'
export type { JoinReader } from './stores/join-reader.ts'
export type { JoinState } from './stores/join-state.ts'
export { joinStore, type JoinStore } from './stores/join-store.ts'
export type { KeyRangeOptions } from './stores/key-range.ts'
export {
  keyValueStore,
  type KeyValueReader,
  type KeyValueState,
  type KeyValueStore,
} from './stores/key-value-store.ts'
export {
  type OutboxEntry,
  type OutboxReader,
  outboxStore,
  type OutboxStore,
} from './stores/outbox-store.ts'
export type { Store } from './stores/store.ts'
export type { StoreVersion } from './stores/store-version.ts'
export { suppressStore, type SuppressReader, type SuppressStore } from './stores/suppress-store.ts'
export {
  type TableReader,
  type TableRows,
  tableStore,
  type TableStore,
  type Timestamped,
} from './stores/table-store.ts'
export { ttlStore, type TtlReader, type TtlState, type TtlStore } from './stores/ttl-store.ts'
export {
  versionedStore,
  type VersionedReader,
  type VersionedStore,
} from './stores/versioned-store.ts'
export { waitingStore, type WaitingReader, type WaitingStore } from './stores/waiting-store.ts'
export {
  type WindowedStore,
  windowedStore,
  type WindowedStoreOptions,
} from './stores/windowed-store.ts'
export type { WindowedReader, WindowRow } from './stores/windowed-rows.ts'
export {
  windowStore,
  type WindowReader,
  type WindowState,
  type WindowStore,
} from './stores/window-store.ts'
export { Prng } from './testing/prng.ts'
export { repartitionTopic, type RepartitionTopic, topic, type Topic } from './topic.ts'
export { describe } from './topology/describe.ts'
export { describeJson, type PlanJson } from './topology/describe-json.ts'
export type { EffectCall, EffectContext } from './topology/effect-node.ts'
export { mermaid } from './topology/mermaid.ts'
export { topology, type Topology } from './topology/topology.ts'
export { hopping } from './windows/hopping.ts'
export { session } from './windows/session.ts'
export { sliding } from './windows/sliding.ts'
export { tumbling } from './windows/tumbling.ts'
export type {
  SessionWindows,
  SlidingWindows,
  TimeWindows,
  Windowed,
  Windows,
} from './windows/windows.ts'

/**
 * The body of the foreign-key joins: two halves in two sub-topologies, and topics between them.
 *
 * ```
 *   sub-topology of the left table            sub-topology of the right table
 *   changes ──► ask ──► <name>-subscription ──► subscriptions kept, right row looked up ─┐
 *      └─ no foreign key (left join) ─┐         changes of the right table ──────────────┤
 *   result ◄──────────────────────────┴─ <name>-response ◄───────────────────────────────┘
 * ```
 * 1. A result needs the left value of the answer's fingerprint: an answer to a value that was
 * replaced is dropped, as a newer one is on its way. In an inner join that one may never come (it
 * is not told that there is nothing), so where the dropped one said "nothing" it is asked for
 * again; Kafka Streams leaves the old result there for ever. 2. The time of a result is the later
 * one of both rows after a left change, that of the right record after a right change. 3. Late
 * updates of a versioned table are dropped and counted.
 */

import { TopologyError } from '../errors/classes.ts'
import { StreamRecord } from '../record.ts'
import {
  fingerprintOf,
  type ForeignRequest,
  type ForeignResponse,
  type ForeignSubscription,
} from '../stores/foreign-key-messages.ts'
import type { ForeignKeyStore } from '../stores/foreign-key-store.ts'
import { KeyCodec } from '../stores/key-codec.ts'
import type { TableStore } from '../stores/table-store.ts'
import type { Topic } from '../topic.ts'
import type { HotStream } from '../topology/hot-stream.ts'
import { prefetchByKey } from '../topology/prefetch.ts'
import type { Scope, SinkSpec } from '../topology/scope.ts'
import type { Change } from './change.ts'
import { DerivedTable } from './derived-table.ts'
import type { Table } from './table.ts'

/** How left rows find their right row. */
export interface ForeignKey<K, A, FK, B, W> {
  /** Names the join, its store and its internal topics. */
  readonly by: ForeignKeyStore<K, A, FK, B>
  /** Pure; the right table's key for a left row, `undefined` for none. */
  readonly keyOf: (value: A, key: K) => FK | undefined
  /** Keeps the result, to be queried, looked up or joined again. */
  readonly store?: TableStore<K, W>
}

export interface ForeignKeyJoin<K, A, FK, B, W> extends ForeignKey<K, A, FK, B, W> {
  readonly left: Table<K, A>
  readonly right: Table<FK, B>
  readonly isLeft: boolean
  join(left: A, right: B | undefined, key: K): W
}

export const joinByForeignKey = <K, A, FK, B, W>(
  scope: Scope,
  options: ForeignKeyJoin<K, A, FK, B, W>,
): Table<K, W> => {
  const { left, by } = options
  if (!left.demandOldValues()) {
    throw new TopologyError(
      'STREAMS_TOPOLOGY_INVALID',
      `the foreign-key join ${by.name} must know what a change of the table ${left.name} replaces: `
        + 'give that table a store',
    )
  }
  const subscriptions = ask(scope, options)
  answer(scope, options)
  return results(scope, options, subscriptions)
}

/** Left half: tells the right half which row each left row looks at now. */
const ask = <K, A, FK, B, W>(
  scope: Scope,
  { left, by, isLeft, keyOf }: ForeignKeyJoin<K, A, FK, B, W>,
): SinkSpec => {
  type Message = StreamRecord<FK, ForeignSubscription<K>>
  const { out, sink } = internalSink<FK, ForeignSubscription<K>>(scope, by.subscriptions)
  const foreignKeys = new KeyCodec(by.right.key)
  out.listen(left.changes$, ({ key, value: change, timestampMs, headers }) => {
    if (!change.isLatest) return scope.countDropped(out.node.name, 'late')
    const { oldValue, newValue } = change
    const oldKey = oldValue === undefined ? undefined : keyOf(oldValue, key)
    const newKey = newValue === undefined ? undefined : keyOf(newValue, key)
    const fingerprint = fingerprintOf(newValue, by.left.value)
    const send = (to: FK, request: ForeignRequest): void => {
      const message: Message = new StreamRecord(
        to,
        { request, fingerprint, key },
        timestampMs,
        headers,
      )
      scope.stage(sink, message)
    }
    if (newKey === undefined) {
      // a left row that stays answers for itself: see `results`
      const isSilent = isLeft && newValue !== undefined
      if (oldKey !== undefined) send(oldKey, isSilent ? 'leaveSilently' : 'leave')
      return
    }
    const moved = oldKey !== undefined && foreignKeys.toSlot(oldKey) !== foreignKeys.toSlot(newKey)
    if (moved) send(oldKey, 'leaveSilently')
    send(newKey, moved || isLeft ? 'resubscribe' : 'subscribe')
  })
  return sink
}

/** Right half: keeps who looks at which row, and tells them what it is and what becomes of it. */
const answer = <K, A, FK, B, W>(
  scope: Scope,
  { right, by, isLeft }: ForeignKeyJoin<K, A, FK, B, W>,
): void => {
  const { name, subscriptions, responses } = by
  const subscriptions$ = internalSource<FK, ForeignSubscription<K>>(scope, subscriptions)
  type Answer = StreamRecord<K, ForeignResponse<B>>
  const stores = [...new Set([by, ...right.stores])]
  const out = scope.node<Answer>({ kind: 'foreign-key', name, stores })
  const rows = scope.open(out.node, by)
  const rights = right.view(out.node)
  scope.addPrefetch(prefetchByKey(out.node, rights))
  out.listen(subscriptions$, ({ key: foreignKey, value, timestampMs, headers }) => {
    const { request, key, fingerprint } = value
    const isLeaving = request === 'leave' || request === 'leaveSilently'
    if (isLeaving) rows.remove(foreignKey, key)
    else if (fingerprint !== undefined) rows.add(foreignKey, { key, fingerprint })
    if (request === 'leaveSilently') return
    const row = rights.row(foreignKey)
    if (row === undefined && request === 'subscribe') return
    const answered: ForeignResponse<B> = { fingerprint, value: isLeaving ? undefined : row?.value }
    const rowMs = isLeaving && isLeft ? timestampMs : (row?.timestampMs ?? timestampMs)
    const laterMs = Math.max(timestampMs, rowMs)
    out.emit(new StreamRecord(key, answered, laterMs, headers))
  })
  out.listen(right.changes$, (record: StreamRecord<FK, Change<B>>) => {
    const { key: foreignKey, value: change, timestampMs, headers } = record
    if (!change.isLatest) return scope.countDropped(name, 'late')
    for (const { key, fingerprint } of rows.subscribers(foreignKey)) {
      const told: ForeignResponse<B> = { fingerprint, value: change.newValue }
      out.emit(new StreamRecord(key, told, timestampMs, headers))
    }
  })
  const { out: end, sink } = internalSink<K, ForeignResponse<B>>(scope, responses)
  end.listen(out, (record) => scope.stage(sink, record))
}

/** Left half again: answers become results, if they are about the left value of now. */
const results = <K, A, FK, B, W>(
  scope: Scope,
  { left, by, isLeft, keyOf, join, store }: ForeignKeyJoin<K, A, FK, B, W>,
  subscriptions: SinkSpec,
): Table<K, W> => {
  const derived = new DerivedTable<K, W>(scope, {
    kind: 'table-foreign-key-join',
    store,
    reads: left.stores,
    sources: [],
    isVersioned: false,
    computedView: () => {
      throw new TopologyError(
        'STREAMS_TOPOLOGY_INVALID',
        `the result of the foreign-key join ${by.name} cannot be looked up: give it a store`,
      )
    },
    demandOldValues: () => false,
  })
  const { out } = derived
  const lefts = left.view(out.node)
  scope.addPrefetch(prefetchByKey(out.node, lefts))
  const update = (record: StreamRecord<K, unknown>, newValue: W | undefined): void => {
    const oldValue = derived.wantsOld ? derived.kept?.row(record.key)?.value : undefined
    derived.update(record, { newValue, oldValue, timestampMs: record.timestampMs, isLatest: true })
  }
  /** A deletion of the result was dropped as stale: makes sure that it is not lost. */
  const settle = (
    record: StreamRecord<K, unknown>,
    current: A | undefined,
    fingerprint: string | undefined,
  ): void => {
    const { key, timestampMs, headers } = record
    const foreignKey = current === undefined ? undefined : keyOf(current, key)
    if (foreignKey === undefined) return update(record, undefined)
    const again: ForeignSubscription<K> = { request: 'resubscribe', fingerprint, key }
    scope.stage(subscriptions, new StreamRecord(foreignKey, again, timestampMs, headers))
  }
  if (isLeft) {
    out.listen(left.changes$, (record) => {
      const { key, value } = record
      const { newValue, oldValue, isLatest } = value
      if (!isLatest) return
      if (newValue !== undefined) {
        if (keyOf(newValue, key) === undefined) update(record, join(newValue, undefined, key))
      } else if (oldValue !== undefined && keyOf(oldValue, key) === undefined) {
        update(record, undefined)
      }
    })
  }
  out.listen(internalSource<K, ForeignResponse<B>>(scope, by.responses), (record) => {
    const { key, value } = record
    const current = lefts.row(key)?.value
    const fingerprint = fingerprintOf(current, by.left.value)
    if (fingerprint !== value.fingerprint) {
      if (value.value === undefined && !isLeft) settle(record, current, fingerprint)
      return
    }
    const isGone = current === undefined || (value.value === undefined && !isLeft)
    update(record, isGone ? undefined : join(current, value.value, key))
  })
  return derived.table
}

const internalSink = <K, V>(
  scope: Scope,
  topic: Topic<K, V>,
): { readonly out: HotStream<never>; readonly sink: SinkSpec } => {
  const spec = { kind: 'repartition', role: 'sink', topic, isInternal: true } as const
  const out = scope.node<never>({ ...spec, name: `to-${topic.name}-repartition` })
  return { out, sink: { nodeName: out.node.name, topic, isInternal: true } }
}

const internalSource = <K, V>(scope: Scope, topic: Topic<K, V>): HotStream<StreamRecord<K, V>> =>
  scope.node<StreamRecord<K, V>>({
    kind: 'repartition',
    role: 'source',
    topic,
    isInternal: true,
    name: `${topic.name}-repartition`,
  })

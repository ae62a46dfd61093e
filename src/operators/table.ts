import { type Observable } from 'rxjs'
import { type StreamRecord } from '../record.ts'
import { type Change } from '../serde/change.ts'
import { type KeyValueState, type KeyValueStore } from '../stores/key-value-store.ts'
import { type TableState, type TableStore } from '../stores/table-store.ts'
import { type Topic } from '../topic.ts'
import { currentScope } from '../topology/scope.ts'

/** A topic as its latest value per key; what `joinTable` looks up. Not a stream. */
export interface Table<K, V> {
  readonly topic: string
  readonly store: KeyValueStore<K, V> | TableStore<K, V>
  /** Every update with what it replaced; for the operators that take a table. */
  readonly changes$: Observable<StreamRecord<K, Change<V>>>
}

/**
 * Keeps the latest value per key of a topic; null bytes delete.
 *
 * Records are applied in timestamp order with the task's other inputs, so a join sees the table as
 * of its own record. A record without a key is dropped and counted.
 *
 * @param topic  usually compacted; partition count as the streams that join it, checked at start
 * @param store  named by the caller, since its changelog must survive every edit
 * @returns      a handle for `joinTable`; it needs not be returned from the definition
 * @throws {TopologyError} STREAMS_TOPOLOGY_INVALID if the topic is read already
 * @example      const customers = table(customerTopic, customerStore)
 */
export const table = <K, V>(
  topic: Topic<K, V>,
  store: KeyValueStore<K, V> | TableStore<K, V>,
): Table<K, V> => {
  const scope = currentScope('table')
  type Update = StreamRecord<K, V | undefined>
  const { name } = topic
  const source = scope.node<Update>({
    kind: 'stream',
    role: 'source',
    name,
    topic,
    acceptsNull: true,
  })
  const stores = [store]
  const out = scope.node<StreamRecord<K, Change<V>>>({ kind: 'table', name: store.name, stores })
  const rows = scope.open<KeyValueState<K, V> | TableState<K, V>>(out.node, store)
  out.listen(source, (record) => {
    const { key, value: newValue, timestampMs } = record
    if (key === undefined) return scope.countDropped(store.name, 'nullKey')
    const oldValue = out.hasConsumers ? rows.get(key) : undefined
    if (newValue === undefined) rows.delete(key)
    else rows.put(key, newValue, timestampMs)
    if (out.hasConsumers) out.emit(record.withValue({ oldValue, newValue }))
  })
  return { topic: name, store, changes$: out }
}

import { type Observable } from 'rxjs'
import { type StreamRecord } from '../record.ts'
import { type Replacement } from '../serde/replacement.ts'
import { type KeyValueState, type KeyValueStore } from '../stores/key-value-store.ts'
import { type TableRows, type TableStore } from '../stores/table-store.ts'
import { type Topic } from '../topic.ts'
import { currentScope } from '../topology/scope.ts'

/** A topic as its latest value per key; what `joinTable` looks up. Not a stream. */
export interface Table<K, V> {
  readonly topic: string
  readonly store: KeyValueStore<K, V> | TableStore<K, V>
  /** Every update with what it replaced, if that was asked for; for operators of tables. */
  readonly changes$: Observable<StreamRecord<K, Replacement<V>>>
  /** Asks for `oldValue` in every change from now on; called while the topology is built. */
  demandOldValues(): boolean
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
  const out = scope.node<StreamRecord<K, Replacement<V>>>({
    kind: 'table',
    name: store.name,
    stores,
  })
  const rows = scope.open<KeyValueState<K, V> | TableRows<K, V>>(out.node, store)
  let wantsOld = false
  out.listen(source, (record) => {
    const { key, value: newValue, timestampMs } = record
    if (key === undefined) return scope.countDropped(store.name, 'nullKey')
    const oldValue = wantsOld ? rows.get(key) : undefined
    if (newValue === undefined && 'delete' in rows) rows.delete(key)
    else rows.put(key, newValue as V, timestampMs)
    if (out.hasConsumers) out.emit(record.withValue({ oldValue, newValue }))
  })
  return { topic: name, store, changes$: out, demandOldValues: () => (wantsOld = true) }
}

import type { OperatorFunction } from 'rxjs'
import { StreamRecord } from '../record.ts'
import { isInternalTopic, type Topic } from '../topic.ts'
import { currentScope, type SinkSpec } from '../topology/scope.ts'

/**
 * Writes each record to a topic: the end of a branch, to be returned by the definition.
 *
 * Staged, not sent: it becomes visible with the state changes of the same record, or never.
 *
 * @param topic  its types must accept the record's; else a compile error. A repartition topic must
 *               be read by `stream` or `repartitionBy`: so records may go back to an earlier step
 * @param keyOf  pure; another key to write under. No state can follow, so nothing is misplaced;
 *               to go on under another key use `repartitionBy`
 * @returns      a stream without values
 * @example      return [settlements$.pipe(to(settlements))]
 * @example      commands$.pipe(to(inventoryCommands, ({ value }) => value.productId))
 */
export function to<K, V>(topic: Topic<K, V>): OperatorFunction<StreamRecord<K, V>, never>
export function to<K, V extends T, T, K2>(
  topic: Topic<K2, T>,
  keyOf: (record: StreamRecord<K, V>) => K2,
): OperatorFunction<StreamRecord<K, V>, never>
export function to(
  topic: Topic<unknown, unknown>,
  keyOf?: (record: StreamRecord<unknown, unknown>) => unknown,
): OperatorFunction<StreamRecord<unknown, unknown>, never> {
  const scope = currentScope('to')
  return (source) => {
    const stem = `to-${topic.name}`
    const isInternal = isInternalTopic(topic)
    const isBlind = keyOf === undefined
    const out = scope.node<never>({ kind: 'to', role: 'sink', stem, topic, isInternal, isBlind })
    const sink: SinkSpec = { nodeName: out.node.name, topic, isInternal }
    out.listen(
      source,
      keyOf === undefined
        ? (record) => scope.stage(sink, record)
        : (record) => {
            const { value, timestampMs, headers } = record
            scope.stage(sink, new StreamRecord(keyOf(record), value, timestampMs, headers))
          },
    )
    return out
  }
}

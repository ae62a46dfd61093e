/**
 * Typed handles of topics: a name with the serdes of both sides.
 *
 * The handle is the only place where the type of a topic is written; operators infer from it.
 */

import type { Serdes } from './serde/serde.ts'

/** An external topic: created by the operators of the cluster, its partition count is theirs. */
export interface Topic<K, V> extends Serdes<K, V> {
  readonly name: string
}

/**
 * A topic owned by the application; the runtime adds `<applicationId>-` and `-repartition`.
 *
 * `repartitionBy` writes and reads one in a step. Where records return to an earlier step, or come
 * from several branches, `to` writes it and `stream` reads it.
 */
export interface RepartitionTopic<K, V> extends Topic<K, V> {
  readonly internal: true
}

/** @param serdes  another topic or a store will do */
export const topic = <K, V>(name: string, { key, value }: Serdes<K, V>): Topic<K, V> => ({
  name,
  key,
  value,
})

/** @param name  stable: an edit of the topology must not orphan records in flight */
export const repartitionTopic = <K, V>(
  name: string,
  { key, value }: Serdes<K, V>,
): RepartitionTopic<K, V> => ({ name, key, value, internal: true })

/** True for topics that this application makes, writes and reads, and nobody else. */
export const isInternalTopic = (handle: object): boolean =>
  (handle as Partial<RepartitionTopic<never, never>>).internal === true

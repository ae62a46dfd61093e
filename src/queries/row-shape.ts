/**
 * How the rows of each kind of store are found: by key, by time and key, or only listed.
 *
 * Asked by whoever carries out a read and by whoever makes one of text. Rows whose keys are those
 * of a windowed aggregate lie in time, whatever the store that holds them.
 */

import { RuntimeError } from '../errors/classes.ts'
import type { Serde } from '../serde/serde.ts'
import type { DistinctStore } from '../stores/distinct-store.ts'
import type { ForeignKeyStore } from '../stores/foreign-key-store.ts'
import type { Store } from '../stores/store.ts'

/**
 * `keys`: one row per key and partition. `windows`: rows lie in time, a key may have several.
 * `list`: a key may have several rows, which nothing bounds.
 */
export type RowShape = 'keys' | 'windows' | 'list'

/** Of stores with one row per key: their order is that of the encoded keys. */
export const keyedKinds: ReadonlySet<string> = new Set([
  'key-value',
  'table',
  'ttl',
  'versioned',
  'suppress',
  'distinct',
])
const timedKinds: ReadonlySet<string> = new Set(['windowed', 'window', 'join', 'waiting'])
const listedKinds: ReadonlySet<string> = new Set(['foreign-key', 'outbox'])

/** @throws {RuntimeError} STREAMS_CONFIG: rows of such a store cannot be read from outside */
export const rowShapeOf = (store: Store): RowShape => {
  const { name, kind } = store
  if (keyedKinds.has(kind)) return isWindowedKey(keySerdeOf(store)) ? 'windows' : 'keys'
  if (timedKinds.has(kind)) return 'windows'
  if (listedKinds.has(kind)) return 'list'
  throw new RuntimeError(
    'STREAMS_CONFIG',
    `store ${name} is a ${kind} store: its rows are not for queries`,
  )
}

/** Of the keys that its rows are told under: of a foreign-key join the foreign keys. */
export const keySerdeOf = (store: Store): Serde<unknown> => {
  if (store.kind === 'distinct') return (store as DistinctStore<unknown>).id
  if (store.kind !== 'foreign-key') return (store as Store & { readonly key: Serde<unknown> }).key
  return (store as ForeignKeyStore<unknown, unknown, unknown, unknown>).right.key
}

const windowedPrefix = 'windowed/'

/** Its keys are those of a windowed aggregate. */
export const isWindowedKey = ({ format }: Pick<Serde<unknown>, 'format'>): boolean =>
  format.startsWith(windowedPrefix)

/** What a key is given in: of windowed keys, the format of the key alone. */
export const keyFormatOf = (store: Store): string => {
  const { format } = keySerdeOf(store)
  return isWindowedKey({ format }) ? format.slice(windowedPrefix.length) : format
}

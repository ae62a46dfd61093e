/** Places of rows by their keys: characters are bytes, so text sorts as encoded keys do. */

import { latin1FromBytes } from '../../state/key-layout.ts'
import type { Store } from '../stores/store.ts'
import { keySerdeOf } from './row-shape.ts'

export const orderOf = (store: Store, key: unknown): string =>
  latin1FromBytes(keySerdeOf(store).encode(key))

/** Tells the rows of a key from others; all are wanted if none is given. */
export const keyFilter = (
  { store }: { readonly store: Store },
  { key: wanted }: { readonly key?: unknown },
): ((key: unknown) => boolean) => {
  if (wanted === undefined) return () => true
  const order = orderOf(store, wanted)
  return (key) => orderOf(store, key) === order
}

/** Keys of stores as text and back: what a person types, and what is shown. */

import { isDeepStrictEqual } from 'node:util'
import { type RowBounds, StoreRequestError } from '../../topologies/shop/http/shop-access.ts'
import { type Serde } from '../serde/serde.ts'
import { type KeyRangeOptions } from '../stores/key-range.ts'
import { type Windowed } from '../windows/windows.ts'
import { isoOf, timeBounds } from './time-bounds.ts'

/** What is known of a store by its name and the serde of its keys. */
interface Keyed {
  readonly name: string
  readonly key: Serde<unknown>
}

interface KeyRequest extends RowBounds {
  readonly key?: string
  readonly limit: number
}

/** A key as it is shown, its window apart, and its place among others. */
export interface SplitKey {
  readonly key: unknown
  readonly window?: { readonly start: string; readonly end: string }
  readonly order: Uint8Array
}

const windowedPrefix = 'windowed/'

/** Its keys are those of a windowed aggregate. */
export const isWindowedKey = ({ format }: Serde<unknown>): boolean =>
  format.startsWith(windowedPrefix)

/** @throws {StoreRequestError} no key of this type can be given as text, or not this one */
export const keyFromText = (
  { name }: { readonly name: string },
  { format }: Pick<Serde<unknown>, 'format'>,
  text: string,
): unknown => {
  if (format === 'utf8') return text
  if (format === 'int64' && /^-?\d+$/.test(text)) return BigInt(text)
  if (format === 'json') return fromJson(text)
  throw new StoreRequestError(`store ${name} has ${format} keys: '${text}' cannot be one`)
}

/**
 * The range of keys to scan; all of them where bounds are times, since keys come before times.
 *
 * @throws {StoreRequestError} a key or bound that cannot be one
 */
export const keyBounds = (
  store: Keyed,
  { key, from, to, limit }: KeyRequest,
): KeyRangeOptions<unknown> => {
  if (isWindowedKey(store.key)) return {}
  const typed = (text: string): unknown => keyFromText(store, store.key, text)
  if (key === undefined) {
    return {
      ...(from === undefined ? {} : { from: typed(from) }),
      ...(to === undefined ? {} : { to: typed(to) }),
      limit,
    }
  }
  if (from !== undefined || to !== undefined) {
    throw new StoreRequestError(`store ${store.name} has one row per key: a key has no bounds`)
  }
  // the first key that is not below it and begins with it is the key itself, if it is there
  return { from: typed(key), prefix: typed(key), limit: 1 }
}

/** Undefined for a row that was not asked for. */
export const splitKey = (store: Keyed, key: unknown, request: KeyRequest): SplitKey | undefined => {
  const order = store.key.encode(key)
  if (!isWindowedKey(store.key)) {
    if (request.key !== undefined && !isKey(store, order, request.key)) return undefined
    return { key: printable(key), order }
  }
  const { key: inner, startMs, endMs } = key as Windowed<unknown>
  const { fromMs, toMs } = timeBounds(request)
  if (startMs < fromMs || startMs >= toMs) return undefined
  const format = store.key.format.slice(windowedPrefix.length)
  const { key: text } = request
  if (text !== undefined && !isDeepStrictEqual(inner, keyFromText(store, { format }, text))) {
    return undefined
  }
  return { key: printable(inner), window: { start: isoOf(startMs), end: isoOf(endMs) }, order }
}

/** A value that JSON can hold: 64-bit numbers as text, bytes in hex. */
export const printable = (value: unknown): unknown => {
  if (typeof value === 'bigint') return String(value)
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value
}

const isKey = (store: Keyed, encoded: Uint8Array, text: string): boolean =>
  Buffer.compare(encoded, store.key.encode(keyFromText(store, store.key, text))) === 0

/** Text that is no JSON is itself: `tea` and `"tea"` are one key. */
const fromJson = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}

import type { Serde } from './serde.ts'

/**
 * A value in place of another, of one row of a table that was grouped: what aggregates of tables
 * add and what they take back out. `undefined` is no value.
 */
export interface Replacement<V> {
  readonly oldValue: V | undefined
  readonly newValue: V | undefined
}

/**
 * Replacements as they travel through an internal topic.
 *
 * `[flags u8: 1 = has old, 2 = has new][newBytes u32 big-endian, with new only][new][old]`
 *
 * @example  repartitionTopic('by-region', { key: utf8, value: replacement(json<Account>()) })
 */
export const replacement = <V>(serde: Serde<V>): Serde<Replacement<V>> => ({
  format: `replacement/${serde.format}`,
  encode: ({ oldValue, newValue }) => {
    const oldBytes = oldValue === undefined ? none : serde.encode(oldValue)
    if (newValue === undefined) return Buffer.concat([Uint8Array.of(flags(oldValue, 0)), oldBytes])
    const newBytes = serde.encode(newValue)
    const head = Buffer.allocUnsafe(5)
    head[0] = flags(oldValue, hasNew)
    head.writeUInt32BE(newBytes.length, 1)
    return Buffer.concat([head, newBytes, oldBytes])
  },
  decode: (bytes) => {
    const flag = bytes[0] ?? 0
    const isNew = (flag & hasNew) !== 0
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const newEnd = isNew ? 5 + view.getUint32(1) : 1
    return {
      oldValue: (flag & hasOld) === 0 ? undefined : serde.decode(bytes.subarray(newEnd)),
      newValue: isNew ? serde.decode(bytes.subarray(5, newEnd)) : undefined,
    }
  },
})

const hasOld = 1
const hasNew = 2
const none = new Uint8Array(0)

const flags = (oldValue: unknown, newFlag: number): number =>
  oldValue === undefined ? newFlag : newFlag | hasOld

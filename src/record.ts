/**
 * The one carrier that flows through a topology.
 *
 * Created by the task (decode) and by stateful nodes (new value, same key); user code derives.
 * 1. The key cannot change: there is no `withKey`, and the class is nominal, so a spread
 *    (`{ ...record, key }`) is a compile error at the next operator of ours.
 * 2. One constructor, four fields, always in this order: every record has the same hidden class.
 */

/** One Kafka record header; `value` is the bytes as read, `null` where Kafka had null. */
export interface Header {
  readonly key: string
  readonly value: Uint8Array | null
}

export type Headers = readonly Header[]

export const noHeaders: Headers = []

/** The highest timestamp in ms: varints of differences are exact up to it; the year is 144,683. */
export const timestampMsMax = 2 ** 52 - 1

/** True of a time that can be written: a whole number of ms from 0 to `timestampMsMax`. */
export const isTimestamp = (timeMs: number): boolean =>
  Number.isInteger(timeMs) && timeMs >= 0 && timeMs <= timestampMsMax

/** A decoded record. `index.ts` exports only its type, so applications cannot construct one. */
export class StreamRecord<out K, out V> {
  /** Type-only: a private member makes the class nominal and costs nothing at run time. */
  declare private readonly nominal: never
  readonly key: K
  readonly value: V
  readonly timestampMs: number
  readonly headers: Headers

  constructor(key: K, value: V, timestampMs: number, headers: Headers) {
    this.key = key
    this.value = value
    this.timestampMs = timestampMs
    this.headers = headers
  }

  /** Same key, time and headers, another value: a constructor call, where a spread costs 30 ×. */
  withValue<W>(value: W): StreamRecord<K, W> {
    return new StreamRecord(this.key, value, this.timestampMs, this.headers)
  }
}

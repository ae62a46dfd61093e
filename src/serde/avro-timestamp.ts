/** Avro's `timestamp-millis` as the ISO-8601 text that JSON has in its place. */

import avro from 'avsc'
import { exactLongMax } from './avro-long.ts'

export class IsoTimestamp extends avro.types.LogicalType {
  protected override _fromValue(timeMs: number): string {
    return new Date(timeMs).toISOString()
  }

  protected override _toValue(text: unknown): number | undefined {
    const timeMs = typeof text === 'string' ? Date.parse(text) : Number.NaN
    return Math.abs(timeMs) <= exactLongMax ? timeMs : undefined
  }

  protected override _resolve(writer: avro.Type): ((value: number) => string) | undefined {
    if (!avro.Type.isType(writer, 'int', 'long', 'logical:timestamp-millis')) return undefined
    return (timeMs) => this._fromValue(timeMs)
  }
}

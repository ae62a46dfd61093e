/**
 * Which versions the rows of one store of one task are of: a row of its own, beside them.
 *
 * Written by a migration in the transactions that hold the migrated rows, read when a task opens
 * and before a store is read from outside. 1. Segments in the order of the keys; the last one has
 * no end. More than one: a migration was cut. 2. No such row: all rows are of version 1, which is
 * why a store of version 1 never has one.
 */

import type { SlotCodec } from '../../state/slots.ts'
import { versionRowKey } from '../../state/key-layout.ts'

interface Segment {
  /** Last key of it, as slots have it; absent: whatever follows. */
  readonly upTo?: string
  readonly version: number
}

export class RowVersions {
  readonly #segments: readonly Segment[]

  private constructor(segments: readonly Segment[]) {
    this.#segments = segments
  }

  static all(version: number): RowVersions {
    return new RowVersions([{ version }])
  }

  /** @param bytes  what the engine holds under `versionRowKey` */
  static decode(bytes: Uint8Array | undefined): RowVersions {
    if (bytes === undefined) return RowVersions.all(1)
    return new RowVersions(JSON.parse(Buffer.from(bytes).toString()) as readonly Segment[])
  }

  encode(): Uint8Array {
    return Buffer.from(JSON.stringify(this.#segments))
  }

  get newest(): number {
    return Math.max(...this.#segments.map(({ version }) => version))
  }

  get oldest(): number {
    return Math.min(...this.#segments.map(({ version }) => version))
  }

  of(slot: string): number {
    return this.#segments.find(({ upTo }) => upTo === undefined || slot <= upTo)!.version
  }

  /** Up to which key rows are of this version already; undefined: none, or all. */
  migratedTo(version: number): string | undefined {
    const [first] = this.#segments
    return first?.version === version ? first.upTo : undefined
  }

  /** All rows up to this key are of that version now. */
  migrated(upTo: string, version: number): RowVersions {
    const rest = this.#segments.filter((segment) => !endsWithin(segment, upTo))
    return new RowVersions([{ upTo, version }, ...rest])
  }
}

const endsWithin = ({ upTo }: Segment, end: string): boolean => upTo !== undefined && upTo <= end

/** A codec that knows the row of versions too. */
export const withRowVersions = (codec: SlotCodec): SlotCodec => ({
  ...codec,
  encode: (stored, slot) =>
    slot === versionRowKey ? (stored as RowVersions).encode() : codec.encode(stored, slot),
  ...(codec.encodeRaw !== undefined && {
    encodeRaw: (stored: unknown, slot: string) =>
      slot === versionRowKey ? (stored as RowVersions).encode() : codec.encodeRaw!(stored, slot),
  }),
  decode: (bytes, slot) =>
    slot === versionRowKey ? RowVersions.decode(bytes) : codec.decode(bytes, slot),
  ...(codec.decodeText !== undefined && {
    decodeText: (text: string, slot: string) =>
      slot === versionRowKey
        ? RowVersions.decode(Buffer.from(text))
        : codec.decodeText!(text, slot),
  }),
})

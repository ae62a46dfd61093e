/**
 * What the two halves of a foreign-key join tell each other, and how it is written.
 *
 * A fingerprint of the left value goes with a subscription and comes back with each answer: an
 * answer to a value that was replaced meanwhile is thereby known to be stale.
 */

import { hash } from 'node:crypto'
import type { SlotCodec } from '../../state/slots.ts'
import type { Serde } from '../serde/serde.ts'

/**
 * What the right side is to do.
 *
 * `subscribe`: answer if there is a right row. `resubscribe`: answer either way, since an earlier
 * result is to be replaced. `leave`: forget the row, answer that nothing is there. `leaveSilently`:
 * forget the row; its new foreign key will answer.
 */
export type ForeignRequest = 'subscribe' | 'resubscribe' | 'leave' | 'leaveSilently'

export interface ForeignSubscription<K> {
  readonly request: ForeignRequest
  /** Of the left value it was asked for; `undefined` if the left row was deleted. */
  readonly fingerprint: string | undefined
  /** Of the left row. */
  readonly key: K
}

export interface ForeignResponse<B> {
  readonly fingerprint: string | undefined
  /** The right row's value; `undefined` if there is none. */
  readonly value: B | undefined
}

/** 128 bits of the value's bytes as hexadecimal text. */
export const fingerprintOf = <A>(value: A | undefined, serde: Serde<A>): string | undefined => {
  if (value === undefined) return undefined
  return hash('sha256', serde.encode(value), 'hex').slice(0, 2 * fingerprintBytes)
}

const fingerprintBytes = 16
const requests: readonly ForeignRequest[] = ['subscribe', 'resubscribe', 'leave', 'leaveSilently']

export const fingerprintCodec: SlotCodec = {
  encode: (stored) => Buffer.from(stored as string, 'hex'),
  decode: (bytes) => textOf(bytes),
}

/** `[request u8][hasFingerprint u8][fingerprint 16, if any][left key]` */
export const subscriptionSerde = <K>(key: Serde<K>): Serde<ForeignSubscription<K>> => ({
  format: `foreign-subscription/${key.format}`,
  encode: ({ request, fingerprint, key: left }) =>
    Buffer.concat([
      Uint8Array.of(requests.indexOf(request)),
      flagged(fingerprint),
      key.encode(left),
    ]),
  decode: (bytes) => {
    const request = requests[bytes[0] ?? -1]
    if (request === undefined) throw new RangeError(`${bytes[0]} is no request of a subscription`)
    const { fingerprint, end } = readFlagged(bytes, 1)
    return { request, fingerprint, key: key.decode(bytes.subarray(end)) }
  },
})

/** `[hasFingerprint u8][fingerprint 16, if any][hasValue u8][value, if any]` */
export const responseSerde = <B>(value: Serde<B>): Serde<ForeignResponse<B>> => ({
  format: `foreign-response/${value.format}`,
  encode: ({ fingerprint, value: right }) =>
    Buffer.concat([
      flagged(fingerprint),
      Uint8Array.of(right === undefined ? 0 : 1),
      right === undefined ? noBytes : value.encode(right),
    ]),
  decode: (bytes) => {
    const { fingerprint, end } = readFlagged(bytes, 0)
    const hasValue = bytes[end] === 1
    return { fingerprint, value: hasValue ? value.decode(bytes.subarray(end + 1)) : undefined }
  },
})

const noBytes = new Uint8Array(0)

const flagged = (fingerprint: string | undefined): Buffer =>
  Buffer.from(fingerprint === undefined ? '00' : `01${fingerprint}`, 'hex')

const readFlagged = (
  bytes: Uint8Array,
  at: number,
): { readonly fingerprint: string | undefined; readonly end: number } => {
  if (bytes[at] !== 1) return { fingerprint: undefined, end: at + 1 }
  const end = at + 1 + fingerprintBytes
  return { fingerprint: textOf(bytes.subarray(at + 1, end)), end }
}

const textOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')

/**
 * Which versions of each event and command are read, and how those of an older major become the
 * present one.
 *
 * 1. Any minor of the present major is taken as it is: a minor only adds what may be absent.
 * 2. One older major is read, through its upcast, where there is one. 3. Every other major goes to
 * the dead letters: nothing is guessed. A new major of a message is: its schema under the next
 * namespace, the old one kept as `<type>.v<n>.avsc`, its version and upcast here, for its maker.
 */

import type { EventEnvelope, MessageVersion } from './envelope.ts'
import type { PaymentProcessedData } from './events.ts'

/** What an older message becomes; the message itself is left as it is. */
export type Upcast = (message: object) => object

export interface ReadVersions {
  /** Such as `2.`: what a version that is read as it is begins with. */
  readonly prefix: string
  readonly major: number
  readonly older?: { readonly prefix: string; readonly upcast: Upcast }
}

/** 2: a payment says what was captured, which may be less than what was asked for. */
export const paymentProcessedVersion: MessageVersion = { text: '2.0.0', schemaVersion: 2 }

type V1Data = Omit<PaymentProcessedData, 'capturedMinor'> & { readonly capturedMinor?: number }

/** Until version 2 what was asked for was captured: there were no short captures. */
const paymentProcessedV2 = (message: object): object => {
  const event = message as EventEnvelope<'payment.processed', V1Data>
  const { status, amountMinor, capturedMinor, ...rest } = event.data
  return {
    ...event,
    eventVersion: paymentProcessedVersion.text,
    data: {
      ...rest,
      status,
      amountMinor,
      capturedMinor: capturedMinor ?? (status === 'COMPLETED' ? amountMinor : 0),
    } satisfies PaymentProcessedData,
    metadata: { ...event.metadata, schemaVersion: paymentProcessedVersion.schemaVersion },
  }
}

const second = ({ schemaVersion }: MessageVersion, upcast: Upcast): ReadVersions => ({
  prefix: `${schemaVersion}.`,
  major: schemaVersion,
  older: { prefix: `${schemaVersion - 1}.`, upcast },
})

const firstMajor: ReadVersions = { prefix: '1.', major: 1 }

const others: ReadonlyMap<string, ReadVersions> = new Map([
  ['payment.processed', second(paymentProcessedVersion, paymentProcessedV2)],
])

/** @param type  `eventType` or `commandType` */
export const versionsOf = (type: string): ReadVersions => others.get(type) ?? firstMajor

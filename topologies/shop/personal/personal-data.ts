/**
 * What the edge of the shop does with personal data: seals it before a command is written, opens it
 * where it is shown, erases what is known of a customer.
 *
 * The port of HTTP routes and loaders; implemented by the composition root, which has the keys. The
 * flows never have them: they carry sealed texts as they carry any other. 1. What has no personal
 * field passes as the same object, and costs a look at its fields. 2. Sealing is a function of
 * customer, order, field and text, so a repeated command has the same bytes, until an erasure.
 */

import type { PersonalField } from './personal-fields.ts'

/** Whose text it is, and of which order. */
export interface PersonalOwner {
  readonly customerId: string
  readonly orderId: string
}

/** Fields that may be personal, in whatever object has them. */
export type PersonalTexts = { readonly [Field in PersonalField]?: unknown }

export interface PersonalData {
  /**
   * The object with its personal texts sealed; the same one if it has none.
   *
   * @throws {PersonalDataError} there is no master key, or the keys cannot be trusted
   * @throws {BrokerError} the keys cannot be asked for
   */
  sealed<T extends PersonalTexts>(owner: PersonalOwner, given: T): Promise<T>
  /**
   * The object with its sealed texts as they were given, or `[erased]`; the same one if none is.
   *
   * @throws as `sealed`
   */
  opened<T extends PersonalTexts & { readonly orderId: string }>(given: T): Promise<T>
  /**
   * Destroys every key of the customer: what was sealed before can never be read again.
   *
   * Durable when it resolves, and asking again is fine.
   *
   * @returns  how many keys there were
   * @throws {BrokerError} BROKER_UNKNOWN_OUTCOME: ask again
   */
  erase(customerId: string): Promise<number>
}

/** Shown in the place of a text whose key was destroyed. */
export const erasedText = '[erased]'

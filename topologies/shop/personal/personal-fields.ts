/**
 * Which fields name a person or are a customer's own words, wherever in the shop they occur.
 *
 * 1. The customer's id is none: it is a key of topics and stores, kept, and must not be an e-mail
 * address. 2. Reasons that the shop itself gives are no one's words and stay readable.
 */

import type { PersonalTexts } from './personal-data.ts'
import { isSealedText } from './sealed-text.ts'

/** By field, the purpose its text is sealed for: a wish to cancel waits under another name. */
export const personalFields = {
  shippingAddress: 'address',
  notes: 'notes',
  reason: 'reason',
  cancelReason: 'reason',
} as const

export type PersonalField = keyof typeof personalFields

const fields = Object.keys(personalFields) as readonly PersonalField[]

/** What is said where the customer says nothing. */
export const ownReason = 'customer'

/** Fields with a text that must not be written as it is. */
export const fieldsToSeal = (given: PersonalTexts): readonly PersonalField[] =>
  fields.filter((field) => {
    const text = given[field]
    return typeof text === 'string' && !(personalFields[field] === 'reason' && text === ownReason)
  })

/** Fields with a sealed text. */
export const sealedFields = (given: PersonalTexts): readonly PersonalField[] =>
  fields.filter((field) => isSealedText(given[field]))

/** A reason for those who have no key and need not know a customer's words. */
export const impersonalReason = (reason: string): string =>
  isSealedText(reason) ? ownReason : reason

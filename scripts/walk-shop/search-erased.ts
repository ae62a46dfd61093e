/**
 * What topics still hold of the customer that the walk erased: no word of it, and no key.
 *
 * 1. Its words are looked for in the bytes of every record, keys too. 2. Where they were written
 * there must be sealed texts, and the customer's id: else the search would prove nothing. 3. Of
 * each of its data keys the last record must be the note that it was destroyed.
 */

import type { ConsoleRecord } from './console-record.ts'
import type { TopicRecords } from './read-topics.ts'
import { address, customer, notes, words } from './steps/places.ts'

const keysTopic = 'ecom.data-keys'

/** Where the customer's texts go. */
const textTopics = ['ecom.order-commands', 'ecom.orders', 'ecom.audit', 'shop-orders-changelog']

export const searchedTopics: readonly string[] = [...textTopics, keysTopic]

export interface Searched {
  readonly topic: string
  readonly records: number
  readonly found: string
  /** What is wrong; undefined if all is well. */
  readonly reason: string | undefined
}

/** @param run  of the walk, which all its ids and texts begin with */
export const searchErased = (topics: TopicRecords, run: string): readonly Searched[] => {
  const [customerId, ...texts] = [customer, address, notes, words].map((text) =>
    text.replace('{run}', run),
  ) as [string, ...string[]]
  const inClear = texts.map((text) => text.replace(/, SE$/, '')) // a country names nobody
  return [
    ...textTopics.map((topic) => textsOf(topic, topics.get(topic) ?? [], { customerId, inClear })),
    keysOf(topics.get(keysTopic) ?? [], customerId),
  ]
}

const sealed = 'enc:1:'

const textsOf = (
  topic: string,
  records: readonly ConsoleRecord[],
  { customerId, inClear }: { readonly customerId: string; readonly inClear: readonly string[] },
): Searched => {
  const texts = records.map(({ key, value }) => `${key}\n${value.toString('utf8')}`)
  const clear = texts.filter((text) => inClear.some((word) => text.includes(word))).length
  const own = texts.filter((text) => text.includes(customerId) && text.includes(sealed)).length
  const reason =
    clear > 0
      ? `${topic} has ${clear} records with its words in the clear`
      : own === 0
        ? `${topic} has no sealed text of ${customerId}: the search proves nothing`
        : undefined
  return { topic, records: records.length, found: `${own} sealed, ${clear} in the clear`, reason }
}

const keysOf = (records: readonly ConsoleRecord[], customerId: string): Searched => {
  const own = records.filter(({ value }) => value.includes(`"${customerId}"`))
  const last = new Map(own.map(({ key, value }) => [key, value]))
  const living = [...last.values()].filter((value) => !value.includes('"erasedAt"')).length
  const destroyed = last.size - living
  const reason =
    living > 0 || destroyed === 0
      ? `${keysTopic} has ${living} living and ${destroyed} destroyed keys of ${customerId}`
      : undefined
  const found = `${destroyed} keys destroyed, ${living} left`
  return { topic: keysTopic, records: records.length, found, reason }
}

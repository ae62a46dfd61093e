/**
 * Which rows of a left table look at which row of a right one: the middle of a foreign-key join.
 *
 * The two tables are partitioned by different keys, so they talk through two internal topics:
 * ```
 *   left change ──► <name>-subscription, by foreign key ──► this store + look-up in the right table
 *   result      ◄── <name>-response, by left key        ◄── and every change of a right row
 * ```
 * Slot layout: `[foreignKeyBytes u32 big-endian][foreign key][left key]` → `[fingerprint]`, so the
 * rows of one right row are one short scan, in the order of the left keys' bytes.
 */

import type { Slots } from '../../state/slots.ts'
import type { Serdes } from '../serde/serde.ts'
import { repartitionTopic, type RepartitionTopic } from '../topic.ts'
import {
  type ForeignResponse,
  type ForeignSubscription,
  fingerprintCodec,
  responseSerde,
  subscriptionSerde,
} from './foreign-key-messages.ts'
import { KeyCodec, orderedU32, prefixEndOf, u32FromOrdered } from './key-codec.ts'
import type { Store } from './store.ts'

export interface ForeignKeyStoreOptions<K, A, FK, B> {
  /** Of the left table; its store will do. */
  readonly left: Serdes<K, A>
  /** Of the right table, whose key is the foreign key; its store will do. */
  readonly right: Serdes<FK, B>
}

export interface Subscriber<K> {
  readonly key: K
  readonly fingerprint: string
}

/** Committed rows; what a query sees. */
export interface ForeignKeyReader<K, FK> {
  /** Keys of the left rows that look at this right row, in the order of their bytes; one seek. */
  subscribers(foreignKey: FK): Iterable<K>
  /** Every foreign key with a left row that looks at it; a scan. */
  rows(): Iterable<readonly [FK, K]>
}

export interface ForeignKeyStore<K, A, FK, B>
  extends
    Store<ForeignKeyState<K, FK>, ForeignKeyReader<K, FK>>,
    ForeignKeyStoreOptions<K, A, FK, B> {
  readonly kind: 'foreign-key'
  readonly subscriptions: RepartitionTopic<FK, ForeignSubscription<K>>
  readonly responses: RepartitionTopic<K, ForeignResponse<B>>
}

/**
 * Names the store of a foreign-key join and its two internal topics.
 *
 * @param name  unique in the application and stable: three topics carry it
 * @example     foreignKeyStore('order-customer', { left: ordersStore, right: customersStore })
 */
export const foreignKeyStore = <K, A, FK, B>(
  name: string,
  { left, right }: ForeignKeyStoreOptions<K, A, FK, B>,
): ForeignKeyStore<K, A, FK, B> => ({
  name,
  kind: 'foreign-key',
  left,
  right,
  layout: `foreign-key/1 left=${left.key.format} right=${right.key.format}`,
  changelog: { cleanupPolicy: 'compact' },
  codec: fingerprintCodec,
  subscriptions: repartitionTopic(`${name}-subscription`, {
    key: right.key,
    value: subscriptionSerde(left.key),
  }),
  responses: repartitionTopic(`${name}-response`, {
    key: left.key,
    value: responseSerde(right.value),
  }),
  open: (slots) => new ForeignKeyState<K, FK>(slots, { left, right }),
  reader: (slots) => {
    const rows = new SubscriberRows<K, FK>({ left, right }, (range) => slots.cleanScan(range))
    return {
      *subscribers(foreignKey) {
        for (const { key } of rows.of(foreignKey)) yield key
      },
      rows: () => rows.all(),
    }
  },
})

type Scan = (range: { gte?: string; lt?: string }) => Iterable<[string, unknown]>

class SubscriberRows<K, FK> {
  readonly #leftKeys: KeyCodec<K>
  readonly #foreignKeys: KeyCodec<FK>
  readonly #scan: Scan

  constructor({ left, right }: ForeignKeyStoreOptions<K, unknown, FK, unknown>, scan: Scan) {
    this.#leftKeys = new KeyCodec(left.key)
    this.#foreignKeys = new KeyCodec(right.key)
    this.#scan = scan
  }

  slotOf(foreignKey: FK, key: K): string {
    return this.#prefixOf(foreignKey) + this.#leftKeys.toSlot(key)
  }

  /** All of them at once: their results may change what is scanned. */
  of(foreignKey: FK): readonly Subscriber<K>[] {
    const gte = this.#prefixOf(foreignKey)
    const lt = prefixEndOf(gte)
    const found: Subscriber<K>[] = []
    for (const [slot, fingerprint] of this.#scan(lt === undefined ? { gte } : { gte, lt })) {
      const key = this.#leftKeys.fromSlot(slot.slice(4 + u32FromOrdered(slot, 0)))
      found.push({ key, fingerprint: fingerprint as string })
    }
    return found
  }

  /** By the length of the foreign keys' bytes, then by the bytes. */
  *all(): Generator<readonly [FK, K]> {
    for (const [slot] of this.#scan({})) {
      const keyAt = 4 + u32FromOrdered(slot, 0)
      yield [
        this.#foreignKeys.fromSlot(slot.slice(4, keyAt)),
        this.#leftKeys.fromSlot(slot.slice(keyAt)),
      ]
    }
  }

  #prefixOf(foreignKey: FK): string {
    const slot = this.#foreignKeys.toSlot(foreignKey)
    return orderedU32(slot.length) + slot
  }
}

export class ForeignKeyState<K, FK> {
  readonly #slots: Slots
  readonly #rows: SubscriberRows<K, FK>

  constructor(slots: Slots, options: ForeignKeyStoreOptions<K, unknown, FK, unknown>) {
    this.#slots = slots
    this.#rows = new SubscriberRows(options, (range) => slots.scan(range))
  }

  add(foreignKey: FK, { key, fingerprint }: Subscriber<K>): void {
    this.#slots.put(this.#rows.slotOf(foreignKey, key), fingerprint)
  }

  remove(foreignKey: FK, key: K): void {
    this.#slots.delete(this.#rows.slotOf(foreignKey, key))
  }

  /** In the order of the left keys' bytes; one seek. */
  subscribers(foreignKey: FK): readonly Subscriber<K>[] {
    return this.#rows.of(foreignKey)
  }
}

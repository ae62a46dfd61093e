/**
 * Seals and opens personal data with the data keys of customers, and destroys those.
 *
 * The `PersonalData` of every process that opens the shop. 1. A data key is durable on its topic
 * before a text is sealed by it. 2. A text whose key is not on the topic is a failure, never shown
 * as erased. 3. Keys are unwrapped for ten minutes at most, and used only after the topic said that
 * they live.
 */

import { randomBytes } from 'node:crypto'
import { RecentMap } from '../../topologies/shop/http/recent-map.ts'
import {
  erasedText,
  type PersonalData,
  type PersonalOwner,
  type PersonalTexts,
} from '../../topologies/shop/personal/personal-data.ts'
import { PersonalDataError } from '../../topologies/shop/personal/personal-data-error.ts'
import {
  fieldsToSeal,
  personalFields,
  sealedFields,
} from '../../topologies/shop/personal/personal-fields.ts'
import {
  type DataKey,
  isSealedText,
  keyIdBytes,
  keyIdOf,
  openText,
  sealText,
} from '../../topologies/shop/personal/sealed-text.ts'
import { dataKeysTopic } from '../../topologies/shop/shared/topics.ts'
import type { CommandWriter } from './command-writer.ts'
import type { DataKeyChanges } from './data-key-changes.ts'
import { type DataKeyTable, isErased } from './data-key-table.ts'
import { eraseDataKeys } from './erase-data-keys.ts'
import type { MasterKey } from './master-key.ts'
import { newWrappedKey, unwrapped } from './wrapped-key.ts'

export interface VaultOptions {
  readonly table: DataKeyTable
  readonly changes: DataKeyChanges
  /** Absent: nothing can be sealed or opened, only erased. */
  readonly masterKey: MasterKey | undefined
  /** Opens what it wrapped, and seals nothing: while the master key is being changed. */
  readonly oldMasterKey?: MasterKey | undefined
  /** Why it is absent, and what to do about it: a sentence. */
  readonly whyNoKey: string
  /** False: what comes is written in the clear. */
  readonly isSealing: boolean
  /** Bounds the wait for a broker that is away. */
  readonly calls: Pick<CommandWriter, 'check' | 'inTime'>
}

const attemptsMax = 5

export class PersonalVault implements PersonalData {
  readonly #options: VaultOptions
  readonly #keys = new RecentMap<DataKey>({ sizeMax: 10_000, ageMs: 600_000 })
  /** By customer: requests that come together make one key. */
  readonly #making = new Map<string, Promise<DataKey>>()

  constructor(options: VaultOptions) {
    this.#options = options
  }

  async sealed<T extends PersonalTexts>(owner: PersonalOwner, given: T): Promise<T> {
    const fields = this.#options.isSealing ? fieldsToSeal(given) : []
    if (fields.length === 0) return given
    const { customerId, orderId } = owner
    const key = await this.#within(() => this.#keyOf(customerId))
    const texts = fields.map((field) => {
      const place = { orderId, purpose: personalFields[field] }
      return [field, sealText(key, place, given[field] as string)] as const
    })
    return { ...given, ...Object.fromEntries(texts) }
  }

  async opened<T extends PersonalTexts & { readonly orderId: string }>(given: T): Promise<T> {
    const fields = sealedFields(given)
    if (fields.length === 0) return given
    await this.#within(() => this.#options.table.refresh())
    const texts = fields.map((field) => {
      const place = { orderId: given.orderId, purpose: personalFields[field] }
      const sealed = given[field]
      const key = isSealedText(sealed) ? this.#openKey(keyIdOf(sealed)) : undefined
      return [field, key === undefined ? erasedText : openText(key, place, sealed as string)]
    })
    return { ...given, ...Object.fromEntries(texts) }
  }

  async erase(customerId: string): Promise<number> {
    return this.#within(() => eraseDataKeys(this.#options, customerId))
  }

  /** @throws {BrokerError} BROKER_UNAVAILABLE, BROKER_UNKNOWN_OUTCOME */
  async #within<T>(work: () => Promise<T>): Promise<T> {
    const { calls } = this.#options
    calls.check()
    return calls.inTime(work())
  }

  /** The key that seals the customer's texts, made if there is none. */
  async #keyOf(customerId: string): Promise<DataKey> {
    const { table } = this.#options
    this.#master()
    await table.refresh()
    const keyId = table.currentKeyId(customerId)
    if (keyId !== undefined) return this.#openKey(keyId)!
    const making = this.#making.get(customerId) ?? this.#makeKey(customerId)
    this.#making.set(customerId, making)
    try {
      return await making
    } finally {
      if (this.#making.get(customerId) === making) this.#making.delete(customerId)
    }
  }

  /** Another replica may make one too, or erase the customer at once: what counts is looked up. */
  async #makeKey(customerId: string): Promise<DataKey> {
    const { table } = this.#options
    this.#refuseOthers()
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      const keyId = randomBytes(keyIdBytes).toString('base64url')
      await table.add(keyId, newWrappedKey(this.#master(), { keyId, customerId }))
      await table.refresh()
      const current = table.currentKeyId(customerId)
      if (current !== undefined) return this.#openKey(current)!
    }
    throw new PersonalDataError('The customer is being erased again and again: try again later.')
  }

  /** Undefined if it was destroyed. The table is as of now. */
  #openKey(keyId: string): DataKey | undefined {
    const row = this.#options.table.row(keyId)
    if (row === undefined) {
      throw new PersonalDataError(
        `Data key ${keyId} is not on ${dataKeysTopic.name}: the topic was cut or replaced. Restore `
          + 'it from its copy; until then this text cannot be read, and it was not erased.',
      )
    }
    if (isErased(row)) return undefined
    const known = this.#keys.get(keyId)
    if (known !== undefined) return known
    const key = { keyId, bytes: unwrapped(this.#masters(), keyId, row) }
    this.#keys.set(keyId, key)
    return key
  }

  /** One more key under a master key that others have given up would be lost with it. */
  #refuseOthers(): void {
    const own = new Set(this.#masters().map(({ fingerprint }) => fingerprint))
    const other = this.#options.table.masters.keys().find((master) => !own.has(master))
    if (other === undefined) return
    throw new PersonalDataError(
      `Data keys are wrapped by master key ${other}, which this process was not given: it makes no `
        + 'new ones. Start it with that key, and with --old-master-key-file while it is changed.',
    )
  }

  #masters(): readonly MasterKey[] {
    const { oldMasterKey } = this.#options
    return [this.#master(), ...(oldMasterKey === undefined ? [] : [oldMasterKey])]
  }

  #master(): MasterKey {
    const { masterKey, whyNoKey } = this.#options
    if (masterKey === undefined) throw new PersonalDataError(whyNoKey)
    return masterKey
  }
}

/**
 * Data keys under a master key: made, opened, and put under another one.
 *
 * Used by the vault and by the rotation of the master key. 1. What is wrapped is bound to the key's
 * id and its customer: it opens nowhere else. 2. Which master key wrapped it, its fingerprint says.
 */

import { randomBytes } from 'node:crypto'
import { PersonalDataError } from '../../topologies/shop/personal/personal-data-error.ts'
import { nonceBytes, openBytes, sealBytes } from '../../topologies/shop/personal/sealed-bytes.ts'
import type { WrappedKey } from './data-key-table.ts'
import type { MasterKey } from './master-key.ts'

const dataKeyBytes = 32

export interface KeyOwner {
  readonly keyId: string
  readonly customerId: string
}

/** A new data key. */
export const newWrappedKey = (master: MasterKey, owner: KeyOwner): WrappedKey =>
  wrapped(master, owner, randomBytes(dataKeyBytes))

/**
 * The bytes of a data key.
 *
 * @param masters  of which one wrapped it; the first is the one in use
 * @throws {PersonalDataError} none of them did, or it was changed
 */
export const unwrapped = (
  masters: readonly MasterKey[],
  keyId: string,
  { customerId, wrapped: packed, master }: WrappedKey,
): Buffer => {
  const { bytes, fingerprint } = masters.find((each) => each.fingerprint === master) ?? masters[0]!
  try {
    return openBytes({ key: bytes, place: boundTo({ keyId, customerId }) }, packed)
  } catch (error) {
    const why =
      master === fingerprint
        ? 'was changed on its topic'
        : `is wrapped by master key ${master}, and the one given is ${fingerprint}`
    throw new PersonalDataError(`Data key ${keyId} ${why}.`, { cause: error })
  }
}

/** The same data key under another master key. @throws {PersonalDataError} as `unwrapped` */
export const rewrapped = (
  { from, to }: { readonly from: MasterKey; readonly to: MasterKey },
  keyId: string,
  row: WrappedKey,
): WrappedKey => wrapped(to, { keyId, customerId: row.customerId }, unwrapped([from], keyId, row))

const wrapped = (
  { bytes, fingerprint }: MasterKey,
  owner: KeyOwner,
  dataKey: Uint8Array,
): WrappedKey => {
  const sealWith = { key: bytes, place: boundTo(owner) }
  const packed = sealBytes(sealWith, randomBytes(nonceBytes), dataKey)
  return { customerId: owner.customerId, wrapped: packed, master: fingerprint }
}

const boundTo = ({ keyId, customerId }: KeyOwner): Buffer => Buffer.from(`${keyId}\n${customerId}`)

/**
 * The record's key decides the partition, the id in its data the row: they must be the same, or the
 * row would be written in a partition that never sees its other records.
 */

import { ShopError } from './shop-error.ts'

/** @throws {ShopError} BAD_MESSAGE: dead letter, the producer must set the key */
export const checkKey = (key: string, id: string, field: string): void => {
  if (key === id) return
  throw new ShopError(
    'BAD_MESSAGE',
    `the record's key ${JSON.stringify(key)} is not its ${field} ` + JSON.stringify(id),
  )
}

/**
 * Where a page ended, as text for whoever asks for the next: opaque, and good for one store.
 *
 * Base64url of JSON `[version, store, order, partition]`; order has one character per byte. No
 * instance and no generation is named, so it survives restarts and moves.
 */

import type { RowPlace } from './partition-read.ts'

const version = 1

/** Told as status 400 by the HTTP server. */
export class CursorError extends Error {
  override readonly name = 'CursorError'
  readonly statusCode = 400
}

export const encodeCursor = (storeName: string, { order, partition }: RowPlace): string =>
  Buffer.from(JSON.stringify([version, storeName, order, partition])).toString('base64url')

/** @throws {CursorError} it is none of this store */
export const decodeCursor = (storeName: string, cursor: string): RowPlace => {
  const [of, name, order, partition] = fieldsOf(cursor)
  const isWhole =
    of === version && typeof name === 'string' && isOrder(order) && Number.isInteger(partition)
  if (!isWhole) throw new CursorError('The cursor is not one that was given out here.')
  if (name !== storeName) {
    throw new CursorError(`The cursor is one of store ${name}, not of ${storeName}.`)
  }
  return { order, partition: partition as number }
}

const fieldsOf = (cursor: string): readonly unknown[] => {
  try {
    const fields: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    return Array.isArray(fields) ? fields : []
  } catch (error) {
    if (error instanceof SyntaxError) return []
    throw error
  }
}

const isOrder = (order: unknown): order is string =>
  typeof order === 'string' && /^[\0-\xff]*$/.test(order)

/**
 * Where everything lives in the one key space of an instance, and how keys become strings.
 *
 * Layout, one byte of kind first; all of it sorts by kind, then task, then store:
 *   position  [0x00]['P'][changelog topic utf8][0x00][partition u32 big-endian]
 *   meta      [0x00]['M'][name utf8]
 *   row       [0x01][taskIdBytes u8][task id utf8][storeBytes u8][store name utf8][key]
 * Called by the task (prefixes), restore (positions), window stores (ordered times).
 * 1. No prefix is a prefix of another, since every name carries its length. 2. A latin1 string
 * holds one byte per character, so strings and bytes sort alike.
 */

const rowKind = 0x01
const nameBytesMax = 255

/** The prefix of all rows of one store of one task; names at most 255 bytes. */
export const namespacePrefix = (taskId: string, storeName: string): Uint8Array =>
  Buffer.concat([taskPrefix(taskId), lengthPrefixed(storeName)])

/** The prefix of all rows of a task: dropping a task is one range delete. */
export const taskPrefix = (taskId: string): Uint8Array =>
  Buffer.concat([Uint8Array.of(rowKind), lengthPrefixed(taskId)])

/** Where the rows of all tasks lie. */
export const allRows: { readonly gte: Uint8Array; readonly lt: Uint8Array } = {
  gte: Uint8Array.of(rowKind),
  lt: Uint8Array.of(rowKind + 1),
}

/** Task and store of a row, read from its whole key. */
export const namespaceOfRow = (
  key: Uint8Array,
): { readonly taskId: string; readonly storeName: string } => {
  const text = Buffer.from(key.buffer, key.byteOffset, key.length)
  const taskEnd = 2 + text[1]!
  const storeEnd = taskEnd + 1 + text[taskEnd]!
  return {
    taskId: text.toString('utf8', 2, taskEnd),
    storeName: text.toString('utf8', taskEnd + 1, storeEnd),
  }
}

/** Key of the position of one changelog partition; see `position.ts` for the value. */
export const positionKey = (changelogTopic: string, partition: number): Uint8Array => {
  const partitionBytes = Buffer.alloc(4)
  partitionBytes.writeUInt32BE(partition)
  return Buffer.concat([Buffer.from(`\0P${changelogTopic}\0`), partitionBytes])
}

/** Key of a value that belongs to the instance (layout version, partition counts). */
export const metaKey = (name: string): Uint8Array => Buffer.from(`\0M${name}`)

/**
 * Key, within the namespace of a store, of the row that tells which versions its rows are of.
 *
 * It travels like any row (changelog, restore, wipe) but is no row to whoever scans the store.
 */
export const versionRowKey = '\0millrace: versions of the rows'

/**
 * The smallest key above all keys with the prefix: the exclusive end of its range.
 *
 * @throws {RangeError} no such key exists: the prefix is empty or all 0xff
 */
export const prefixEnd = (prefix: Uint8Array): Uint8Array => {
  let length = prefix.length
  while (length > 0 && prefix[length - 1] === 0xff) length--
  if (length === 0) throw new RangeError('no key is above all keys with this prefix')
  const end = Buffer.from(prefix.subarray(0, length))
  end[length - 1]! += 1
  return end
}

/** One character per byte; the string sorts as the bytes do. */
export const latin1FromBytes = (bytes: Uint8Array): string =>
  Buffer.isBuffer(bytes)
    ? bytes.toString('latin1')
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')

/** The bytes of a latin1 string, a fresh copy. */
export const bytesFromLatin1 = (text: string): Buffer => Buffer.from(text, 'latin1')

/**
 * Eight latin1 characters that sort as the time does.
 *
 * @param timeMs  a whole number of ms from 0 to 2^53 - 1
 * @throws {RangeError} negative, fractional or too large: clamp or drop the record first
 */
export const orderedMs = (timeMs: number): string => {
  if (!Number.isSafeInteger(timeMs) || timeMs < 0) {
    throw new RangeError(`time ${timeMs} is not a whole number of ms from 0 to 2^53 - 1`)
  }
  const high = Math.floor(timeMs / 0x1_0000_0000)
  const low = timeMs | 0 // modulo 2^32
  // a third of what the way through a buffer takes
  return String.fromCharCode(
    high >>> 24,
    (high >>> 16) & 0xff,
    (high >>> 8) & 0xff,
    high & 0xff,
    low >>> 24,
    (low >>> 16) & 0xff,
    (low >>> 8) & 0xff,
    low & 0xff,
  )
}

/** Reads what `orderedMs` wrote at character `at`. */
export const msFromOrdered = (text: string, at = 0): number => {
  let timeMs = 0
  for (let i = at; i < at + 8; i++) timeMs = timeMs * 256 + text.charCodeAt(i)
  return timeMs
}

const lengthPrefixed = (name: string): Buffer => {
  const bytes = Buffer.from(name)
  if (bytes.length > nameBytesMax) {
    throw new RangeError(`name ${name} has ${bytes.length} bytes, at most ${nameBytesMax} fit`)
  }
  return Buffer.concat([Uint8Array.of(bytes.length), bytes])
}

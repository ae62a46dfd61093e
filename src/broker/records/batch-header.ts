/**
 * Where the fields of a record batch (magic 2) lie.
 *
 * ```
 *   0 baseOffset i64 │ 8 length i32 │ 12 leaderEpoch i32 │ 16 magic i8 │ 17 crc32c u32
 *   21 attributes i16 │ 23 lastOffsetDelta i32 │ 27 firstTimestamp i64 │ 35 maxTimestamp i64
 *   43 producerId i64 │ 51 producerEpoch i16 │ 53 baseSequence i32 │ 57 count i32 │ 61 records
 * ```
 * The checksum covers everything from the attributes on.
 */

export const at = {
  baseOffset: 0,
  length: 8,
  leaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  firstTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  count: 57,
  records: 61,
} as const

export const headerBytes = at.records

/** The length field counts from behind itself. */
export const lengthEnd = 12

export const attributeBits = {
  compression: 0x07,
  logAppendTime: 0x08,
  transactional: 0x10,
  control: 0x20,
} as const

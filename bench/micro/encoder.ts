/**
 * What a record costs to pack into a batch, the batch to seal with its CRC, and to decode again.
 *
 * Method: 1,000 records a batch, a key of 13 characters and a value of 100, as text and as bytes;
 * `append` writes a record into `PackedRecords`, `seal` makes a batch of the segment with producer
 * id, sequence and CRC-32C, `decode` checks the batch and takes key and value of each record.
 * CPU ns per record, 200 batches a round, 9 rounds after a warm-up, median. No compression.
 */

import { batchOfSegment } from '../../src/broker/kafka/records/encode.ts'
import { openRecords } from '../../src/broker/kafka/records/decode.ts'
import { PackedRecords } from '../../src/broker/records/packed-records.ts'
import { report } from '../report.ts'
import { cpuNsPer } from './cpu-time.ts'

const [batchRecords, batches, valueChars, firstMs] = [1_000, 200, 100, 1_795_000_000_000]
const count = batchRecords * batches
const owner = { producerId: 7n, epoch: 0, isTransactional: true }
const segmentBytesMax = 1_000_000
const expectedBytes = batchRecords * (valueChars + 32)

const texts = Array.from({ length: batchRecords }, (_, index) => {
  const key = `user-${String(index).padStart(8, '0')}`
  return [key, key.padEnd(valueChars, 'x')] as const
})
const buffers = texts.map(([key, value]) => [Buffer.from(key), Buffer.from(value)] as const)

const packed = (contents: typeof texts | typeof buffers): PackedRecords => {
  const records = new PackedRecords({ segmentBytesMax, expectedBytes })
  for (let i = 0; i < batchRecords; i++) {
    const [key, value] = contents[i]!
    records.append(firstMs + i, key, value)
  }
  return records
}

const repeat = (work: () => void) => () => {
  for (let batch = 0; batch < batches; batch++) work()
}

const appended = (contents: typeof texts | typeof buffers): (() => void) =>
  repeat(() => packed(contents).release())

const appendTextCpuNs = await cpuNsPer(count, appended(texts))
const appendBytesCpuNs = await cpuNsPer(count, appended(buffers))

const [segment, ...others] = packed(texts).segments()
if (segment === undefined || others.length > 0) throw new Error('a batch is one segment here')
let sealed = batchOfSegment(segment, 'none').seal(owner, 0)
let sequence = 0
const sealCpuNs = await cpuNsPer(
  count,
  repeat(() => {
    sequence += batchRecords
    sealed = batchOfSegment(segment, 'none').seal(owner, sequence)
  }),
)

/** Of its own: what is fetched begins where the fetch does. */
const fetched = Buffer.alloc(sealed.length)
sealed.copy(fetched)
const decodeCpuNs = await cpuNsPer(
  count,
  repeat(() => {
    const range = { buffer: fetched, start: 0, end: fetched.length, offset: 0, aborted: [] }
    const cursor = openRecords(range).cursor()
    let bytes = 0
    for (let part = cursor.next(batchRecords); part.length > 0; part = cursor.next(batchRecords)) {
      for (const { key, value } of part) bytes += key!.length + value!.length
    }
    if (bytes !== batchRecords * (texts[0]![0].length + valueChars)) {
      throw new Error(`${bytes} bytes were decoded`)
    }
  }),
)

report({
  name: 'micro/encoder',
  figures: {
    appendTextCpuNs,
    appendBytesCpuNs,
    sealCpuNs,
    decodeCpuNs,
    batchBytes: sealed.length,
  },
})

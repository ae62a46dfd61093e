/** The compressions of a record batch, by their bits in its attributes. */

import { compressionsAlgorithms } from '@platformatic/kafka'
import { BrokerError } from '../../errors.ts'

export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

const byBits: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

export const compressionBits = (compression: Compression): number => byBits.indexOf(compression)

export const compress = (compression: Compression, bytes: Buffer): Buffer =>
  compressionsAlgorithms[compression].compressSync(bytes)

export const decompress = (bits: number, bytes: Buffer): Buffer => {
  const compression = byBits[bits]
  if (compression === undefined) {
    throw new BrokerError('BROKER_INVALID_REQUEST', `a batch has the unknown compression ${bits}`)
  }
  return compressionsAlgorithms[compression].decompressSync(bytes)
}

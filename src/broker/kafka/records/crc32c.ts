/**
 * CRC-32C of a record batch: native where it could be installed (7 GB/s), else the library's.
 *
 * The library's way to the native one copies its input first, so it is asked directly.
 */

import { crc32c as libraryCrc32c } from '@platformatic/kafka'
import { createRequire } from 'node:module'

type Checksum = (bytes: Buffer) => number

const nativeCrc32c = (): Checksum | undefined => {
  try {
    const native: { crc32c: Checksum } = createRequire(import.meta.url)('@node-rs/crc32')
    return (bytes) => native.crc32c(bytes)
  } catch {
    return undefined
  }
}

export const crc32c: Checksum = nativeCrc32c() ?? libraryCrc32c

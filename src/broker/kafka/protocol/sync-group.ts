/** SyncGroup v5, answered with its error code. */

import { createAPI, type Reader, syncGroupV5 } from '@platformatic/kafka'

type Arguments = Parameters<typeof syncGroupV5.createRequest>

export interface SyncGroupAnswer {
  readonly errorCode: number
  readonly assignment: Buffer
}

const parse = (_id: number, _key: number, _version: number, reader: Reader): SyncGroupAnswer => {
  reader.readInt32() // throttle time
  const errorCode = reader.readInt16()
  reader.readNullableString() // protocol type
  reader.readNullableString() // protocol name
  // a copy: the answer lies in the connection's buffer
  return { errorCode, assignment: Buffer.from(reader.readBytes()) }
}

export const syncGroup = createAPI<Arguments, SyncGroupAnswer>(
  syncGroupV5.api.key,
  syncGroupV5.api.version,
  syncGroupV5.createRequest,
  parse,
)

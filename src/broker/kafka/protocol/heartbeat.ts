/** Heartbeat v4, answered with its error code: REBALANCE_IN_PROGRESS is no failure. */

import { createAPI, heartbeatV4, type Reader } from '@platformatic/kafka'

type Arguments = Parameters<typeof heartbeatV4.createRequest>

const parse = (_id: number, _key: number, _version: number, reader: Reader): number => {
  reader.readInt32() // throttle time
  return reader.readInt16()
}

export const heartbeat = createAPI<Arguments, number>(
  heartbeatV4.api.key,
  heartbeatV4.api.version,
  heartbeatV4.createRequest,
  parse,
)

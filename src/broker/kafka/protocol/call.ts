/**
 * One request and its answer, whatever error codes it carries.
 *
 * The library throws answers that carry an error code; here they come back as answers, since the
 * codes are ours to read. Only a lost connection or a time-out rejects, with a BrokerError.
 */

import { type API, type Connection, ResponseError } from '@platformatic/kafka'
import { connectionErrorOf } from '../errors.ts'

/** @throws {BrokerError} BROKER_UNAVAILABLE; the request may have had its effect */
export const call = async <Arguments extends unknown[], Answer>(
  api: API<Arguments, Answer>,
  connection: Connection,
  ...args: Arguments
): Promise<Answer> => {
  try {
    return await api.async(connection, ...args)
  } catch (error) {
    const answer: unknown = error instanceof ResponseError ? error['response'] : undefined
    if (answer !== undefined) return answer as Answer
    throw connectionErrorOf(error, `request ${api.key} v${api.version}`)
  }
}

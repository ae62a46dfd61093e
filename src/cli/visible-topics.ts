/** Topics that may or may not be there, and that we may not be meant to see. */

import { BrokerError } from '../broker/errors.ts'
import type { TopicDescription, Topics } from '../broker/port.ts'

/**
 * What is hidden by an ACL counts as not there: the names of other profiles are asked for on
 * clusters that grant rights to our own only.
 *
 * @throws {BrokerError} the broker does not answer
 */
export const visibleTopics = async (
  topics: Topics,
  names: readonly string[],
): Promise<ReadonlyMap<string, TopicDescription>> => {
  try {
    return await topics.describe(names)
  } catch (error) {
    if (error instanceof BrokerError && error.code === 'BROKER_NOT_AUTHORIZED') return new Map()
    throw error
  }
}

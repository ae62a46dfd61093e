/**
 * A refused request of an administrator, with the right that it lacks by name.
 *
 * Used by what changes topics. The codes alone tell the resource only, and there is one right for
 * each thing that is done to a topic.
 */

import { BrokerError } from '../errors.ts'
import { brokerErrorOf, kafkaFailure } from './errors.ts'

export interface AdminRefusal {
  /** Kafka's name of the operation on the topic: `Create`, `Alter`, `AlterConfigs`. */
  readonly acl: string
  readonly topic: string
  /** Words of the broker, if it has any. */
  readonly errorMessage: string | null | undefined
}

/** @param doing  what was tried, for the message */
export const adminErrorOf = (
  errorCode: number,
  doing: string,
  { acl, topic, errorMessage }: AdminRefusal,
): BrokerError => {
  const { name, code } = kafkaFailure(errorCode)
  if (code !== 'BROKER_NOT_AUTHORIZED') {
    return brokerErrorOf(errorCode, doing, { topic }, errorMessage)
  }
  return new BrokerError(
    code,
    `${doing}: ${name}; the principal lacks the ACL ${acl} on the topic ${topic}`,
    { topic },
  )
}

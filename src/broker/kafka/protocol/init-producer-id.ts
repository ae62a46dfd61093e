/** InitProducerId v5: fences the older owner of a transactional id, aborts what it left open. */

import { createAPI, type Reader, Writer } from '@platformatic/kafka'

export interface InitProducerIdRequest {
  /** Null for an idempotent producer without transactions. */
  readonly transactionalId: string | null
  readonly transactionTimeoutMs: number
}

export interface InitProducerIdAnswer {
  readonly errorCode: number
  readonly producerId: bigint
  readonly epoch: number
}

/** Producer id and epoch −1: any owner before is an older one. */
const createRequest = ({ transactionalId, transactionTimeoutMs }: InitProducerIdRequest): Writer =>
  Writer.create()
    .appendString(transactionalId)
    .appendInt32(transactionTimeoutMs)
    .appendInt64(-1n)
    .appendInt16(-1)
    .appendTaggedFields()

const parseAnswer = (
  _correlationId: number,
  _key: number,
  _version: number,
  reader: Reader,
): InitProducerIdAnswer => {
  reader.readInt32()
  return {
    errorCode: reader.readInt16(),
    producerId: reader.readInt64(),
    epoch: reader.readInt16(),
  }
}

export const initProducerId = createAPI<[InitProducerIdRequest], InitProducerIdAnswer>(
  22,
  5,
  createRequest,
  parseAnswer,
)

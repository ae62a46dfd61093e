/**
 * InitProducerId v4: fences the older owner of a transactional id and aborts what it left open; or
 * raises the epoch of the owner that asks, if it still is the owner.
 */

import { createAPI, type Reader, Writer } from '@platformatic/kafka'

export interface InitProducerIdRequest {
  /** Null for an idempotent producer without transactions. */
  readonly transactionalId: string | null
  readonly transactionTimeoutMs: number
  /** Who asks for a higher epoch; absent: any owner before is an older one. */
  readonly owner?: { readonly producerId: bigint; readonly epoch: number } | undefined
}

export interface InitProducerIdAnswer {
  readonly errorCode: number
  readonly producerId: bigint
  readonly epoch: number
}

const createRequest = (request: InitProducerIdRequest): Writer =>
  Writer.create()
    .appendString(request.transactionalId)
    .appendInt32(request.transactionTimeoutMs)
    .appendInt64(request.owner?.producerId ?? -1n)
    .appendInt16(request.owner?.epoch ?? -1)
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
  4,
  createRequest,
  parseAnswer,
)

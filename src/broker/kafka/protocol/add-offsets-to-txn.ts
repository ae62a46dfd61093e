/** AddOffsetsToTxn v3 (transactions v1): offsets of a group join a transaction. */

import { createAPI, type Reader, Writer } from '@platformatic/kafka'

export interface AddOffsetsToTxnRequest {
  readonly transactionalId: string
  readonly producerId: bigint
  readonly epoch: number
  readonly groupId: string
}

export interface AddOffsetsToTxnAnswer {
  readonly errorCode: number
}

const createRequest = (request: AddOffsetsToTxnRequest): Writer =>
  Writer.create()
    .appendString(request.transactionalId)
    .appendInt64(request.producerId)
    .appendInt16(request.epoch)
    .appendString(request.groupId)
    .appendTaggedFields()

const parseAnswer = (
  _correlationId: number,
  _key: number,
  _version: number,
  reader: Reader,
): AddOffsetsToTxnAnswer => {
  reader.readInt32() // throttle time
  return { errorCode: reader.readInt16() }
}

export const addOffsetsToTxn = createAPI<[AddOffsetsToTxnRequest], AddOffsetsToTxnAnswer>(
  25,
  3,
  createRequest,
  parseAnswer,
)

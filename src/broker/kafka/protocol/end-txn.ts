/** EndTxn v5 (transactions v2): its answer carries the epoch of the next transaction. */

import { createAPI, type Reader, Writer } from '@platformatic/kafka'

export interface EndTxnRequest {
  readonly transactionalId: string
  readonly producerId: bigint
  readonly epoch: number
  readonly isCommit: boolean
}

export interface EndTxnAnswer {
  readonly errorCode: number
  /** −1 with an error. */
  readonly producerId: bigint
  readonly epoch: number
}

const createRequest = (request: EndTxnRequest): Writer =>
  Writer.create()
    .appendString(request.transactionalId)
    .appendInt64(request.producerId)
    .appendInt16(request.epoch)
    .appendBoolean(request.isCommit)
    .appendTaggedFields()

const parseAnswer = (
  _correlationId: number,
  _key: number,
  _version: number,
  reader: Reader,
): EndTxnAnswer => {
  reader.readInt32()
  return {
    errorCode: reader.readInt16(),
    producerId: reader.readInt64(),
    epoch: reader.readInt16(),
  }
}

export const endTxn = createAPI<[EndTxnRequest], EndTxnAnswer>(26, 5, createRequest, parseAnswer)

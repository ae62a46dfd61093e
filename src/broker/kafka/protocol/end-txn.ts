/**
 * EndTxn v5 (transactions v2), whose answer carries the epoch of the next transaction, and v3
 * (transactions v1), after which the epoch stays.
 */

import { type API, createAPI, type Reader, Writer } from '@platformatic/kafka'

export interface EndTxnRequest {
  readonly transactionalId: string
  readonly producerId: bigint
  readonly epoch: number
  readonly isCommit: boolean
}

export interface EndTxnAnswer {
  readonly errorCode: number
  /** Of the next transaction; absent if it is that of this one. */
  readonly next?: { readonly producerId: bigint; readonly epoch: number }
}

export type EndTxn = API<[EndTxnRequest], EndTxnAnswer>

const createRequest = (request: EndTxnRequest): Writer =>
  Writer.create()
    .appendString(request.transactionalId)
    .appendInt64(request.producerId)
    .appendInt16(request.epoch)
    .appendBoolean(request.isCommit)
    .appendTaggedFields()

const parseV3 = (_id: number, _key: number, _version: number, reader: Reader): EndTxnAnswer => {
  reader.readInt32() // throttle time
  return { errorCode: reader.readInt16() }
}

const parseV5 = (_id: number, _key: number, _version: number, reader: Reader): EndTxnAnswer => {
  reader.readInt32() // throttle time
  const errorCode = reader.readInt16()
  return { errorCode, next: { producerId: reader.readInt64(), epoch: reader.readInt16() } }
}

export const endTxnV3: EndTxn = createAPI(26, 3, createRequest, parseV3)

export const endTxnV5: EndTxn = createAPI(26, 5, createRequest, parseV5)

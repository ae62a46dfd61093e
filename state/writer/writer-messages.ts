/** What goes between `writer-thread.ts` and its thread; replies come in the order of requests. */

export type WriterRequest =
  | {
      readonly kind: 'write'
      /** Transferred: the sender can no longer read it. */
      readonly packed: ArrayBuffer
      /** Bytes of `packed` in use. */
      readonly packedBytes: number
      readonly sync: boolean
    }
  | { readonly kind: 'deleteRange'; readonly gte: Uint8Array; readonly lt: Uint8Array }
  | { readonly kind: 'close' }

export interface WriterReply {
  /** The buffer of a write, given back; absent for other requests. */
  readonly packed?: ArrayBuffer
  readonly failure: WriterFailure | undefined
}

export interface WriterFailure {
  /** An expectation of the batch did not hold. */
  readonly conflict: boolean
  readonly message: string
  /** Of the binding's error, if it had one. */
  readonly code: string | number | undefined
}

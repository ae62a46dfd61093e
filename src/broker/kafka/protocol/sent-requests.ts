/**
 * The bytes of a large request, which the library joins into one buffer before it writes them.
 *
 * Used for every connection. 1. The library joins a request with its header: what it writes is
 * never a buffer of ours. 2. Once written nobody needs it, since a request is never sent twice; as
 * garbage, a hundred megabytes a second make V8 collect all the time.
 */

import type { Socket } from 'node:net'

/** Smaller ones share a pool of Node, or are not worth a callback. */
const largeBytes = 65_536

/** Lets the memory of large writes go as soon as the socket is done with them. */
export const freeSentRequests = (socket: Pick<Socket, 'write'>): void => {
  const write = socket.write.bind(socket) as (
    bytes: Uint8Array,
    onWritten?: (error?: Error | null) => void,
  ) => boolean
  const writeAndFree = (bytes: Uint8Array): boolean =>
    ownsLargeMemory(bytes) ? write(bytes, () => void bytes.buffer.transfer(0)) : write(bytes)
  socket.write = writeAndFree as Socket['write']
}

const ownsLargeMemory = (bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> =>
  bytes.length >= largeBytes
  && bytes.buffer instanceof ArrayBuffer
  && bytes.length === bytes.buffer.byteLength

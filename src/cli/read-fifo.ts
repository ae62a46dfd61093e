/**
 * Reads a named pipe without ever blocking a thread.
 *
 * Used by `open-input.ts`. A blocking open waits in a thread until somebody writes, and Node cannot
 * end while one waits. So it is opened without waiting and asked again: nothing, before a first
 * writer was seen, is no end.
 */

import { closeSync, constants, openSync, readSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const lookEveryMs = 10
const chunkBytes = 65_536

/** @throws what the system says when it cannot be opened or read */
export async function* readFifo(path: string, stopped: Promise<void>): AsyncGenerator<Buffer> {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  let isStopped = false
  void stopped.then(() => (isStopped = true))
  try {
    let hasWriter = false
    while (!isStopped) {
      const chunk = readNow(descriptor)
      if (chunk !== undefined && chunk.length === 0 && hasWriter) return
      hasWriter ||= chunk === undefined || chunk.length > 0
      if (chunk !== undefined && chunk.length > 0) yield chunk
      else await sleep(lookEveryMs)
    }
  } finally {
    closeSync(descriptor)
  }
}

/** @returns  undefined while a writer holds the pipe and has written nothing; empty without one */
const readNow = (descriptor: number): Buffer | undefined => {
  const chunk = Buffer.allocUnsafe(chunkBytes)
  try {
    return chunk.subarray(0, readSync(descriptor, chunk))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return undefined
    throw error
  }
}

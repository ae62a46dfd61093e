/**
 * What `load` reads, as a regular file: one that is named, or the copy of a pipe.
 *
 * A load reads its input twice, to stock what it sells and to send it, and a pipe can be read once.
 * So a pipe is read to its end into a temporary file first; nothing is loaded before. 1. The copy
 * has no name: it is gone with the process, however that ends. 2. No read blocks a thread: a pipe
 * into which nobody writes can be left with Ctrl-C. 3. The name of a file, or of a pipe's content,
 * stands in the ids of its orders; `--document` names it otherwise.
 */

import { createHash, randomUUID } from 'node:crypto'
import { createReadStream, fstatSync, type Stats } from 'node:fs'
import { type FileHandle, open, stat, unlink } from 'node:fs/promises'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { Readable } from 'node:stream'
import { CommandError } from './failure.ts'
import { readFifo } from './read-fifo.ts'

export interface LoadInput {
  /** As the person named it: for messages. */
  readonly path: string
  /** Names the input in the ids of its orders and of its stock. */
  readonly document: string
  /** Of a regular file, to be read at any position. */
  readonly handle: FileHandle
  /** Of what is named, or of the pipe: to recognise it under another name. */
  readonly identity: Pick<Stats, 'dev' | 'ino'>
  /** Where malformed lines go if nothing else is said. */
  readonly rejectsPath: string
}

export interface InputOptions {
  /** Instead of the file's name, or of a name made from a pipe's content. */
  readonly document?: string | undefined
  /** Ends the reading of a pipe. */
  readonly interrupted: Promise<void>
}

interface Pipe {
  readonly chunks: AsyncIterable<Buffer>
  readonly identity: Pick<Stats, 'dev' | 'ino'>
  readonly rejectsPath: string
}

const hashLength = 16

/**
 * @param path  a file, a named pipe, `-` for stdin, or what `<(…)` stands for; close the handle
 * @throws {CommandError} it cannot be read, or is neither file nor pipe
 */
export const openInput = async (path: string, options: InputOptions): Promise<LoadInput> => {
  try {
    const descriptor = descriptorOf(path)
    if (descriptor !== undefined) return await copied(path, pipeAt(descriptor), options)
    const stats = await stat(path)
    checkKind(path, stats)
    const rejectsPath = `${path}.rejects`
    if (stats.isFIFO()) {
      const chunks = readFifo(path, options.interrupted)
      return await copied(path, { chunks, identity: stats, rejectsPath }, options)
    }
    const handle = await open(path)
    const document = options.document ?? basename(path)
    return { path, document, handle, identity: stats, rejectsPath }
  } catch (error) {
    throw readFailure(path, error)
  }
}

/** A CommandError for what the system refused; other errors as they are. */
export const readFailure = (path: string, error: unknown): unknown => {
  if (error instanceof CommandError) return error
  const { code, message } = error as NodeJS.ErrnoException
  return code === undefined ? error : new CommandError(`cannot read ${path}: ${message}`)
}

/** The number in `/dev/fd/63` and the like, which name what is open already. */
const descriptorOf = (path: string): number | undefined => {
  if (path === '-' || path === '/dev/stdin') return 0
  const match = /^\/(?:dev|proc\/self)\/fd\/(\d+)$/.exec(path)
  return match === null ? undefined : Number(match[1])
}

const pipeAt = (descriptor: number): Pipe => {
  const stats = fstatSync(descriptor)
  checkKind(`what is open as ${descriptor}`, stats, true)
  const chunks: Readable =
    descriptor === 0
      ? process.stdin
      : stats.isFIFO() || stats.isSocket()
        ? new Socket({ fd: descriptor, readable: true, writable: false })
        : createReadStream('', { fd: descriptor })
  return { chunks, identity: stats, rejectsPath: 'stdin.rejects' }
}

const checkKind = (what: string, stats: Stats, isOpen = false): void => {
  if (stats.isDirectory()) {
    throw new CommandError(`${what} is a directory; name a file of orders`)
  }
  if (stats.isFile() || stats.isFIFO()) return
  if (isOpen && (stats.isSocket() || stats.isCharacterDevice())) return
  throw new CommandError(`${what} is neither a file nor a pipe; name a file of orders`)
}

const copied = async (path: string, pipe: Pipe, options: InputOptions): Promise<LoadInput> => {
  process.stderr.write(`millrace: reading ${path} to its end first\n`)
  const handle = await openTemporary()
  try {
    const hash = createHash('sha256')
    let sizeBytes = 0
    for await (const chunk of untilInterrupted(pipe.chunks, options.interrupted)) {
      hash.update(chunk)
      await handle.appendFile(chunk)
      sizeBytes += chunk.length
    }
    const document = options.document ?? `stdin-${hash.digest('hex').slice(0, hashLength)}`
    process.stderr.write(`millrace: ${sizeBytes} bytes read, as document ${document}\n`)
    const { identity, rejectsPath } = pipe
    return { path, document, handle, identity, rejectsPath }
  } catch (error) {
    await handle.close()
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOSPC' && code !== 'EDQUOT') throw error
    throw new CommandError(
      `no space in ${tmpdir()} for what comes from ${path}; set TMPDIR to another directory`,
    )
  }
}

const openTemporary = async (): Promise<FileHandle> => {
  const name = join(tmpdir(), `millrace-load-${randomUUID()}`)
  const handle = await open(name, 'wx+', 0o600)
  await unlink(name)
  return handle
}

async function* untilInterrupted(
  chunks: AsyncIterable<Buffer>,
  interrupted: Promise<void>,
): AsyncGenerator<Buffer> {
  const iterator = chunks[Symbol.asyncIterator]()
  const stopped = interrupted.then(() => 'stopped' as const)
  for (;;) {
    const next = await Promise.race([iterator.next(), stopped])
    if (next === 'stopped') {
      throw new CommandError('stopped before the input was read to its end: nothing was loaded')
    }
    if (next.done === true) return
    yield next.value
  }
}

/**
 * The directory of an instance's state, held by one process at a time.
 *
 * Locked by the runtime before it opens an engine; read by the command line to find a running
 * process. The database has a lock of its own; this one knows who holds it, and where that
 * process can be reached.
 * 1. `lock.json` appears complete or not at all (link of a finished file).
 * 2. A lock left by a dead process is removed only by the one process that holds the take-over
 * file named after that very lock, so a lock made in the meantime cannot be removed.
 * 3. A holder in another container cannot be seen and counts as dead: there the database's own
 * lock refuses the second process.
 */

import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { performance } from 'node:perf_hooks'
import { StoreError, StoreFullError, StoreIoError, StoreLockedError } from './errors.ts'
import { isSameProcess, processStartTicks } from './process-liveness.ts'

const lockName = 'lock.json'

export interface DirectoryLock {
  readonly pid: number
  readonly startedAtMs: number
  /** Kernel's start time of the pid, where known. */
  readonly startTicks?: string
  /** Where the process can be reached, once it listens. */
  readonly address?: string
}

export class StateDirectory {
  readonly path: string
  #lock: DirectoryLock | undefined

  private constructor(path: string, lock: DirectoryLock) {
    this.path = path
    this.#lock = lock
  }

  /**
   * Creates the directory if need be and takes it for this process.
   *
   * @throws {StoreLockedError} a live process holds it, `pid` names it (also this one)
   * @throws {StoreFullError} no space: free some, then start again
   * @throws {StoreIoError} it cannot be made or written: choose another place
   */
  static lock(path: string): StateDirectory {
    try {
      return StateDirectory.#take(path)
    } catch (error) {
      throw storeErrorOf(path, error)
    }
  }

  static #take(path: string): StateDirectory {
    makeDirectory(resolve(path))
    const startTicks = processStartTicks(process.pid)
    const lock: DirectoryLock = {
      pid: process.pid,
      startedAtMs: Math.round(performance.timeOrigin), // a fact of the process, not a clock
      ...(startTicks === undefined ? {} : { startTicks }),
    }
    while (!tryCreate(path, lockName, lock)) {
      const text = readText(join(path, lockName))
      if (text === undefined) continue // released just now
      const holder = parse(text)
      if (holder !== undefined && isHeld(holder)) throw new StoreLockedError(path, holder.pid)
      takeOver(path, text, lock)
    }
    return new StateDirectory(path, lock)
  }

  /**
   * Who holds the directory now; undefined if nobody alive does.
   *
   * @throws {StoreIoError} it cannot be read, or is none: choose another place
   */
  static readLock(path: string): DirectoryLock | undefined {
    try {
      const text = readText(join(path, lockName))
      const holder = text === undefined ? undefined : parse(text)
      return holder !== undefined && isHeld(holder) ? holder : undefined
    } catch (error) {
      throw storeErrorOf(path, error)
    }
  }

  /** Tells readers of the lock where this process can be reached. */
  setAddress(url: string): void {
    if (this.#lock === undefined) throw new Error(`state directory ${this.path} is not locked`)
    this.#lock = { ...this.#lock, address: url }
    const draft = draftPath(this.path)
    try {
      writeFileSync(draft, JSON.stringify(this.#lock))
      renameSync(draft, join(this.path, lockName))
    } catch (error) {
      throw storeErrorOf(this.path, error)
    }
  }

  /**
   * Whether the directory is still there and still ours; databases go on for a while without it.
   *
   * @throws {StoreIoError} it was removed, moved away or taken over: end the process
   */
  check(): void {
    if (this.#lock === undefined || this.#isOurs()) return
    throw new StoreIoError(
      this.path,
      new Error('it was removed, or replaced by another, while this process used it'),
    )
  }

  /** Gives the directory up; a second call does nothing. */
  unlock(): void {
    if (this.#lock === undefined) return
    const isOurs = this.#isOurs() // if it was replaced, the lock is someone else's
    this.#lock = undefined
    if (isOurs) remove(join(this.path, lockName))
  }

  #isOurs(): boolean {
    const found = parse(readText(join(this.path, lockName)) ?? '')
    return found?.pid === this.#lock?.pid && found?.startTicks === this.#lock?.startTicks
  }
}

const storeErrorOf = (path: string, error: unknown): unknown => {
  if (error instanceof StoreError) return error
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ENOSPC' || code === 'EDQUOT') return new StoreFullError(path, error)
  return code === undefined ? error : new StoreIoError(path, error)
}

/** Step by step: Node's own recursive mkdir never returns where a file system refuses (/proc). */
const makeDirectory = (path: string): void => {
  if (existsSync(path)) return
  makeDirectory(dirname(path))
  try {
    mkdirSync(path)
  } catch (cause) {
    if (!existsSync(path)) throw new StoreIoError(path, cause)
  }
}

/** Removes the stale lock, unless another process is at it or has done it. */
const takeOver = (path: string, staleText: string, own: DirectoryLock): void => {
  const right = holdTakeOver(path, staleText, own)
  try {
    if (readText(join(path, lockName)) === staleText) remove(join(path, lockName))
  } finally {
    remove(join(path, right))
    // The lock that these rights were about is gone by now, so those left by the dead are void.
    const prefix = takeOverPrefixOf(staleText)
    for (const name of readdirSync(path)) {
      if (name.startsWith(prefix) && !isHeldFile(join(path, name))) remove(join(path, name))
    }
  }
}

/**
 * The exclusive right to remove one stale lock. A holder that died is passed by, not removed:
 * removing it could remove its successor.
 */
const holdTakeOver = (path: string, staleText: string, own: DirectoryLock): string => {
  const prefix = takeOverPrefixOf(staleText)
  for (let attempt = 1; ; attempt++) {
    const name = `${prefix}${attempt}`
    if (tryCreate(path, name, own)) return name
    const holder = parse(readText(join(path, name)) ?? '')
    // Unreadable or given back just now: the next name will do as well.
    if (holder !== undefined && isHeld(holder)) throw new StoreLockedError(path, holder.pid)
  }
}

const takeOverPrefixOf = (staleText: string): string => {
  const { pid, startTicks, startedAtMs } = parse(staleText) ?? {}
  return `lock.takeover.${pid ?? 'unreadable'}.${startTicks ?? startedAtMs ?? ''}.`
}

const isHeldFile = (file: string): boolean => {
  const holder = parse(readText(file) ?? '')
  return holder !== undefined && isHeld(holder)
}

const tryCreate = (path: string, name: string, lock: DirectoryLock): boolean => {
  const draft = draftPath(path)
  writeFileSync(draft, JSON.stringify(lock))
  try {
    linkSync(draft, join(path, name))
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    remove(draft)
  }
}

const draftPath = (path: string): string => join(path, `lock.draft.${process.pid}`)

const isHeld = ({ pid, startTicks }: DirectoryLock): boolean => isSameProcess(pid, startTicks)

const parse = (text: string): DirectoryLock | undefined => {
  try {
    const lock = JSON.parse(text) as DirectoryLock | null
    return Number.isSafeInteger(lock?.pid) && lock!.pid > 0 ? lock! : undefined
  } catch {
    return undefined
  }
}

const readText = (file: string): string | undefined => {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

const remove = (file: string): void => {
  try {
    unlinkSync(file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

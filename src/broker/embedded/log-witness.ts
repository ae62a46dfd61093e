/**
 * What the broker acknowledged, remembered outside of its database.
 *
 * A write-ahead log that is cut, deleted or replaced by an older copy leaves a database that opens
 * without a word, at an earlier point: acknowledged records are gone. The witness notices: it holds
 * the count of commits, written after each one and before anybody is told.
 * 1. It never knows more than the engine did, so it raises no false alarm when a process dies.
 * 2. Where the engine does not wait for the device, a power cut may lose the engine's tail and
 * keep the witness's: then records *were* lost, and that is said. 3. Without it, leader epochs
 * still show a store that it is ahead, unless the cut took a start of the broker with it: its epoch
 * is then given again.
 */

import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import type { Engine } from '../../../state/engine.ts'
import { StoreError, StoreIoError } from '../../../state/errors.ts'
import { clusterKey, type ClusterRow, decodeJson } from './rows.ts'
import { storedCommits } from './journal.ts'

export interface Acknowledged {
  readonly clusterId: string
  readonly commits: number
}

export class LogWitness {
  /** What an earlier process acknowledged. */
  readonly before: Acknowledged | undefined
  readonly #file: number
  #clusterId = ''

  private constructor(before: Acknowledged | undefined, file: number) {
    this.before = before
    this.#file = file
  }

  /** @throws {StoreError} the file cannot be read or made, or is not one of these */
  static open(path: string): LogWitness {
    try {
      const file = openSync(path, 'a') // makes it, and truncates nothing
      closeSync(file)
      const before = parse(readFileSync(path, 'utf8'), path)
      return new LogWitness(before, openSync(path, 'r+'))
    } catch (error) {
      throw error instanceof StoreError ? error : new StoreIoError(path, error)
    }
  }

  /** From now on it speaks of this cluster, which is at this commit. */
  begin(clusterId: string, commits: number): void {
    this.#clusterId = clusterId
    this.write(commits)
  }

  /** Never fails: a witness that lags behind only notices less. */
  write(commits: number): void {
    if (this.#clusterId === '') return
    try {
      writeSync(this.#file, textOf({ clusterId: this.#clusterId, commits }), 0)
    } catch {
      // a full disk: the same lengths fit again once there is space
    }
  }

  close(): void {
    closeSync(this.#file)
  }
}

/** Why this engine is not the one that was acknowledged from; undefined if it is. */
export const lossOf = (engine: Engine, { before }: LogWitness): string | undefined => {
  if (before === undefined) return undefined
  const row = engine.get(clusterKey)
  if (row === undefined) return `it is empty, and ${before.commits} commits were acknowledged`
  const { clusterId } = decodeJson<ClusterRow>(row)
  if (clusterId !== before.clusterId) {
    return `it belongs to cluster ${clusterId}, and ${before.clusterId} was here before`
  }
  const commits = storedCommits(engine)
  if (commits >= before.commits) return undefined
  return `it ends at commit ${commits}, and commit ${before.commits} was acknowledged`
}

/** Of one length, so that writing it again needs no space, and never leaves half an old one. */
const textOf = ({ clusterId, commits }: Acknowledged): string =>
  `${clusterId} ${String(commits).padStart(16, '0')}\n`

const parse = (text: string, path: string): Acknowledged | undefined => {
  if (text === '') return undefined
  const match = /^(\S+) (\d{16})\n/.exec(text)
  if (match !== null) return { clusterId: match[1]!, commits: Number(match[2]) }
  const message =
    `${path} is damaged: it says how far the broker's log was acknowledged; if <state-dir> is `
    + 'whole otherwise, delete this one file and start again'
  throw new StoreError('STATE_CORRUPT', 'stop', message)
}

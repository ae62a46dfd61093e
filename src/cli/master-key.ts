/**
 * The master key, which wraps the data key of every customer: 32 bytes, and where they come from.
 *
 * Given by `--master-key-file`, or by MILLRACE_MASTER_KEY. On the embedded broker, with one process
 * and one directory, it is made once, in the state directory, for its owner alone. 1. A key is
 * never made where one was: what it wrapped would be lost unseen. 2. It is in no log and no answer;
 * a fingerprint names it.
 */

import { createHmac, randomBytes } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Settings } from '../config/settings.ts'
import { UsageError } from '../config/usage-error.ts'
import { flagFile } from './flag-file.ts'

export interface MasterKey {
  /** 32 bytes. */
  readonly bytes: Buffer
  /** Tells it from others, and says nothing of it. */
  readonly fingerprint: string
}

const keyBytes = 32

/** Of `--master-key-file` or MILLRACE_MASTER_KEY. @throws {UsageError} it is no such key */
export const givenMasterKey = ({
  masterKey,
  masterKeyFile: path,
}: Pick<Settings, 'masterKey' | 'masterKeyFile'>): MasterKey | undefined => {
  if (path !== undefined) return parsed(flagFile('--master-key-file', path).toString(), path)
  return masterKey === undefined ? undefined : parsed(masterKey, 'MILLRACE_MASTER_KEY')
}

/** Of `--old-master-key-file`: opens what it wrapped. @throws {UsageError} it is no such key */
export const givenOldMasterKey = ({
  oldMasterKeyFile: path,
}: Pick<Settings, 'oldMasterKeyFile'>): MasterKey | undefined =>
  path === undefined ? undefined : parsed(flagFile('--old-master-key-file', path).toString(), path)

export const masterKeyPath = (stateDir: string): string => join(stateDir, 'master-key')

/** Of the state directory; undefined if none was made there. @throws {UsageError} it is no key */
export const keptMasterKey = (stateDir: string): MasterKey | undefined => {
  const path = masterKeyPath(stateDir)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  return parsed(text, path)
}

/** Makes the key of the state directory: durable when this returns, readable by its owner only. */
export const makeMasterKey = (stateDir: string): MasterKey => {
  const bytes = randomBytes(keyBytes)
  writeKey(masterKeyPath(stateDir), bytes)
  syncDirectory(stateDir)
  return keyOf(bytes)
}

/** Keeps this key in the place of the one before, which wraps nothing any more. */
export const replaceMasterKey = (stateDir: string, { bytes }: MasterKey): void => {
  const path = masterKeyPath(stateDir)
  const next = `${path}.new`
  rmSync(next, { force: true }) // of a command that was killed
  writeKey(next, bytes)
  renameSync(next, path)
  syncDirectory(stateDir)
}

const writeKey = (path: string, bytes: Buffer): void => {
  const file = openSync(path, 'wx', 0o600)
  writeSync(file, `${bytes.toString('base64')}\n`)
  fsyncSync(file)
  closeSync(file)
}

const syncDirectory = (path: string): void => {
  const directory = openSync(path, 'r')
  fsyncSync(directory)
  closeSync(directory)
}

const parsed = (text: string, from: string): MasterKey => {
  const given = text.trim()
  const bytes = /^[0-9a-fA-F]{64}$/.test(given)
    ? Buffer.from(given, 'hex')
    : Buffer.from(/^[\w+/-]+=*$/.test(given) ? given : '', 'base64')
  if (bytes.length === keyBytes) return keyOf(bytes)
  throw new UsageError(
    `${from} holds no master key: that is ${keyBytes} bytes in base64 or hex, as from `
      + `openssl rand -base64 ${keyBytes}`,
  )
}

const keyOf = (bytes: Buffer): MasterKey => ({
  bytes,
  fingerprint: createHmac('sha256', bytes)
    .update('millrace fingerprint')
    .digest('base64url')
    .slice(0, 12),
})

/**
 * Which engine keeps the state: the one asked for, the one that is there, else the best that runs.
 *
 * Used by `open-engine.ts`. 1. RocksDB unless it has no binary for this machine. 2. A choice that
 * nobody made aloud is told on stderr, once per directory; RocksDB is what everybody expects.
 */

import { join } from 'node:path'
import { StoreMismatchError } from '../../state/errors.ts'
import { type DiskEngine, engineOf } from '../../state/made-by.ts'
import { loadRocksBinding } from '../../state/rocksdb/rocks-binding.ts'
import type { Settings } from '../config/settings.ts'

const told = new Set<string>()

/** @throws {StoreMismatchError} RocksDB made the directory and has no binary here: see message */
export const chooseEngine = ({
  stateDir,
  stateEngine,
}: Pick<Settings, 'stateDir' | 'stateEngine'>): DiskEngine => {
  if (stateEngine !== undefined) return stateEngine
  const there = engineOf(join(stateDir, 'broker')) ?? engineOf(join(stateDir, 'state'))
  if (there === 'lmdb') {
    tell(stateDir, `the state in ${stateDir} was made by lmdb, which is used`)
    return 'lmdb'
  }
  const reason = whyNoRocks()
  if (reason === undefined) return 'rocksdb'
  if (there === 'rocksdb') {
    const way = 'choose another directory with --state-dir, where lmdb is used'
    throw new StoreMismatchError(`the state in ${stateDir} was made by rocksdb. ${reason}; ${way}`)
  }
  tell(stateDir, `using lmdb for the state in ${stateDir}. ${reason}`)
  return 'lmdb'
}

const whyNoRocks = (): string | undefined => {
  try {
    loadRocksBinding()
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

const tell = (stateDir: string, text: string): void => {
  if (told.has(stateDir)) return
  told.add(stateDir)
  process.stderr.write(`millrace: ${text}\n`)
}

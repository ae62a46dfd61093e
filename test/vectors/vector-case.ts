/**
 * Recorded cases of Kafka Streams, read from files: one JSON object per line, gzipped or not.
 *
 * Used by the replay, the command and the test. `VECTORS_DIR` names another folder than the copy
 * in `data/`. The format is that of the recording, so names and nulls are Kafka's.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

/** A windowed key as recorded. */
export interface WindowKey {
  readonly key: string
  readonly start: number
  readonly end: number
}

export type Key = string | WindowKey | null

export interface OutputRow {
  readonly topic: string
  readonly key: Key
  readonly value: string | null
  readonly ts: number
}

export interface InputRow {
  readonly topic: string
  readonly key: string | null
  readonly value: string | null
  readonly ts: number
}

export type Step =
  | { readonly in: InputRow; readonly out: readonly OutputRow[] }
  | { readonly advanceWallClockMs: number; readonly out: readonly OutputRow[] }

export type Params = Readonly<Record<string, unknown>>

/** Key, value and, but for sessions, timestamp. */
export type StoreRow = readonly [key: Key, value: string, ts?: number]

export interface VectorCase {
  readonly topology: string
  readonly params: Params
  readonly seed: number
  readonly steps: readonly Step[]
  readonly stores: Readonly<Record<string, readonly StoreRow[]>>
}

export const vectorsDirectory = (): string =>
  process.env.VECTORS_DIR || join(import.meta.dirname, 'data')

/** Names of the topologies that have a file, sorted. */
export const recordedTopologies = (directory = vectorsDirectory()): readonly string[] => {
  const names = readdirSync(directory).flatMap((file) => fileName.exec(file)?.[1] ?? [])
  return [...new Set(names)].toSorted()
}

/** @throws {Error} there is no file of this topology */
export const readCases = (
  topology: string,
  directory = vectorsDirectory(),
): readonly VectorCase[] => {
  const file = readdirSync(directory).find((name) => fileName.exec(name)?.[1] === topology)
  if (file === undefined) throw new Error(`no ${topology}.jsonl in ${directory}`)
  const bytes = readFileSync(join(directory, file))
  const text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as VectorCase)
}

const fileName = /^(.+)\.jsonl(?:\.gz)?$/

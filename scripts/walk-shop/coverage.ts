/**
 * What the five source documents ask for, what implements it here and which test proves it.
 *
 * The data is `topologies/shop/coverage.json`; its test checks that all it names exists.
 */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface CoveredSystem {
  /** As the document names it. */
  readonly system: string
  /** Files or folders, from the project's root; none: the shop does not have it. */
  readonly implementedBy: readonly string[]
  readonly provedBy: readonly string[]
  /** What is different or not there, for people. */
  readonly note?: string
}

export interface CoveredDocument {
  readonly document: string
  readonly systems: readonly CoveredSystem[]
}

const file = join(import.meta.dirname, '..', '..', 'topologies', 'shop', 'coverage.json')

export const readCoverage = (): readonly CoveredDocument[] =>
  JSON.parse(readFileSync(file, 'utf8')) as readonly CoveredDocument[]

/**
 * Goal: `topologies/shop/coverage.json` names files and tests that exist, and says "no" where there
 * are none. What a test proves is for its reader.
 */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readCoverage } from '../../scripts/walk-shop/coverage.ts'

const root = join(import.meta.dirname, '..', '..')
const documents = readCoverage()
const systems = documents.flatMap(({ document, systems: all }) =>
  all.map((one) => ({ ...one, name: `${document.slice(0, 2)} ${one.system}` })),
)

/** From the root, and nowhere else. */
const isThere = (path: string): boolean =>
  !path.startsWith('/') && !path.includes('..') && existsSync(join(root, path))

describe('what the documents ask for', () => {
  it('is told for each of the five, each thing once', () => {
    expect(documents.map(({ document }) => document.slice(0, 2))).toEqual([
      '1.',
      '2.',
      '3.',
      '4.',
      '5.',
    ])
    const names = systems.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
  })

  it('is implemented by what exists', () => {
    const wrong = systems.flatMap(({ name, implementedBy }) =>
      implementedBy.filter((path) => !isThere(path)).map((path) => `${name}: ${path}`),
    )
    expect(wrong).toEqual([])
  })

  it('is proved by tests that exist', () => {
    const wrong = systems.flatMap(({ name, provedBy }) =>
      provedBy
        .filter(
          (path) => !/^test\/.*\.(test|test-d)\.ts$|^test\/contract\//.test(path) || !isThere(path),
        )
        .map((path) => `${name}: ${path}`),
    )
    expect(wrong).toEqual([])
  })

  it('is explained where there is no file or no test', () => {
    const bare = systems.filter(
      ({ implementedBy, provedBy, note }) =>
        (implementedBy.length === 0 || provedBy.length === 0) && (note ?? '') === '',
    )
    expect(bare.map(({ name }) => name)).toEqual([])
    const strange = systems.filter(
      ({ implementedBy, provedBy }) => implementedBy.length === 0 && provedBy.length > 0,
    )
    expect(strange.map(({ name }) => name)).toEqual([])
  })
})

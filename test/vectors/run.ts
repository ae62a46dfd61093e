/**
 * `npm run vectors [-- TOPOLOGY…] [-o json]`: replays the recorded cases of Kafka Streams.
 *
 * Prints cases and passes per topology, and the first difference of each topology that fails, to
 * stderr. Exit status 1 if a case fails or has no topology of ours yet, 2 for bad arguments.
 */

import { parseArgs } from 'node:util'
import { families } from './families.ts'
import { replay, type ReplayResult } from './replay.ts'
import { recordedTopologies, vectorsDirectory } from './vector-case.ts'

const main = (): number => {
  const { values, positionals } = parseArgs({
    options: { output: { type: 'string', short: 'o', default: 'table' } },
    allowPositionals: true,
  })
  const known = recordedTopologies()
  const unknown = positionals.filter((name) => !known.includes(name))
  if (unknown.length > 0 || !['table', 'json'].includes(values.output)) {
    process.stderr.write(
      `usage: npm run vectors -- [TOPOLOGY…] [-o table|json]; ${vectorsDirectory()} has: `
        + `${known.join(' ')}\n`,
    )
    return 2
  }
  const results = (positionals.length > 0 ? positionals : known).map((name) =>
    replay(name, families),
  )
  process.stdout.write(values.output === 'json' ? jsonOf(results) : tableOf(results))
  for (const { topology, differences } of results) {
    if (differences[0] === undefined) continue
    process.stderr.write(`${topology}: ${JSON.stringify(differences[0], undefined, 1)}\n`)
  }
  return results.length > 0 && results.every(({ cases, passed }) => cases === passed) ? 0 : 1
}

const summed = (results: readonly ReplayResult[], field: 'cases' | 'passed'): number =>
  results.reduce((sum, result) => sum + result[field], 0)

const jsonOf = (results: readonly ReplayResult[]): string => {
  const topologies = results.map(({ topology, cases, passed, isImplemented }) => ({
    topology,
    cases,
    passed,
    isImplemented,
  }))
  const totals = { cases: summed(results, 'cases'), passed: summed(results, 'passed') }
  return `${JSON.stringify({ ...totals, topologies }, undefined, 2)}\n`
}

const tableOf = (results: readonly ReplayResult[]): string => {
  const lines = results.map(({ topology, cases, passed, isImplemented }) => {
    const verdict = isImplemented ? (cases === passed ? 'ok' : 'FAILED') : 'not yet'
    return [topology.padEnd(26), `${cases}`.padStart(6), `${passed}`.padStart(7), `  ${verdict}`]
  })
  const total = [
    'all'.padEnd(26),
    `${summed(results, 'cases')}`.padStart(6),
    `${summed(results, 'passed')}`.padStart(7),
  ]
  const head = ['topology'.padEnd(26), ' cases', ' passed']
  return [head, ...lines, total].map((cells) => `${cells.join('')}\n`).join('')
}

process.exitCode = main()

/** What every benchmark prints: one JSON object with figures, machine, versions and commit. */

import { execFileSync } from 'node:child_process'
import { cpus, totalmem } from 'node:os'

export interface BenchReport {
  readonly name: string
  /** Figures with their unit in the name. */
  readonly figures: Readonly<Record<string, number>>
  readonly note?: string
}

export const report = (result: BenchReport): void => {
  const machine = {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
  }
  const [node, commit, at] = [process.version, currentCommit(), new Date().toISOString()]
  process.stdout.write(`${JSON.stringify({ ...result, machine, node, commit, at })}\n`)
}

const currentCommit = (): string => {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  } catch {
    return 'unknown'
  }
}

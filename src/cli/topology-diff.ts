/** `millrace topology diff A B`: what a deploy would change, before it does. */

import type { Settings } from '../config/settings.ts'
import { UsageError } from '../config/usage-error.ts'
import { compareTopologies } from '../topology/compare-topologies.ts'
import type { Consequence, TopologyDifference } from '../topology/topology-difference.ts'
import { exitCodes } from './exit-codes.ts'
import { table } from './table.ts'
import { shapeAt, shapeInState } from './topology-source.ts'

export interface DiffOptions {
  readonly settings: Settings
  /** A and B, or B alone, then compared with what the state directory was made by. */
  readonly sources: readonly string[]
  readonly isOnState: boolean
}

/**
 * Prints the differences.
 *
 * @returns the exit code: 0 the same or safe, 3 something has to be done, 4 it would be refused
 * @throws {UsageError | CommandError | StoreError} one of the two cannot be had
 */
export const diffTopologies = async (options: DiffOptions): Promise<number> => {
  const { settings, sources, isOnState } = options
  const expected = isOnState ? 1 : 2
  if (sources.length !== expected) {
    throw new UsageError(
      isOnState
        ? 'topology diff --state-dir DIR takes one topology: the one to be started'
        : 'topology diff takes two topologies: A and B; or one and --state-dir DIR',
    )
  }
  const was = isOnState ? await shapeInState(settings) : await shapeAt(sources[0]!)
  const differences = compareTopologies(was, await shapeAt(sources.at(-1)!))
  const verdict = verdictOf(differences)
  process.stdout.write(
    settings.output === 'json'
      ? `${JSON.stringify({ verdict, differences }, null, 2)}\n`
      : `${textOf(differences)}\n`,
  )
  return exitCodeOf[verdict]
}

type Verdict = Consequence | 'same'

const verdictOf = (differences: readonly TopologyDifference[]): Verdict => {
  const worst = (['forbidden', 'losesState', 'safe'] as const).find((consequence) =>
    differences.some((difference) => difference.consequence === consequence),
  )
  return worst ?? 'same'
}

const exitCodeOf: Readonly<Record<Verdict, number>> = {
  same: exitCodes.ok,
  safe: exitCodes.ok,
  losesState: exitCodes.changes,
  forbidden: exitCodes.refused,
}

const words: Readonly<Record<Consequence, string>> = {
  safe: 'safe',
  losesState: 'loses state',
  forbidden: 'forbidden',
}

const rankOf = ({ consequence }: TopologyDifference): number =>
  (['safe', 'losesState', 'forbidden'] as const).indexOf(consequence)

/** The worst first. */
const textOf = (differences: readonly TopologyDifference[]): string => {
  if (differences.length === 0) return 'no differences'
  const ordered = differences.toSorted((a, b) => rankOf(b) - rankOf(a))
  const rows = ordered.map(({ what, name, was, is, consequence, effect, advice }) => [
    what,
    name,
    was || '-',
    is || '-',
    `${words[consequence]}: ${effect}`,
    advice || '-',
  ])
  return table([['what', 'name', 'was', 'is', 'consequence', 'what to do'], ...rows])
}

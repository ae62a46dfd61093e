/** Rows that a route cannot do without: there, not there for sure, or not to be known yet. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { ProblemKind } from '../../../src/index.ts'
import { RouteProblem } from './route-problem.ts'
import type { Found } from './shop-access.ts'
import { unlessMoving } from './unless-moving.ts'

export interface Known<Row> extends Found<Row> {
  readonly row: Row
}

/** What is looked for. */
export interface Wanted {
  /** For the message, such as `product tea`. */
  readonly name: string
  /** The problem if it is not there. */
  readonly unknown: ProblemKind
}

/** How long a request about something unknown waits for what was written before it. */
export const behindWaitMs = 2_000
const pollMs = 20

export const withRow = <Row>({ row, source }: Found<Row>): Known<Row> | undefined =>
  row === undefined ? undefined : { row, source }

/** @throws {RouteProblem} of the kind `unknown`: there is none; 503: cannot be known yet */
export const knownRow = async <Row>(
  find: () => Promise<Found<Row>>,
  findSettled: () => Promise<Found<Row> | undefined>,
  { name, unknown }: Wanted,
): Promise<Known<Row>> => {
  const now = withRow(await find())
  if (now !== undefined) return now
  const settled = await findSettled()
  if (settled === undefined) throw behind()
  const late = withRow(settled)
  if (late === undefined) throw new RouteProblem(unknown, `There is no ${name}.`)
  return late
}

export const behind = (): RouteProblem =>
  new RouteProblem(503, 'The shop is behind and cannot tell yet; ask again.')

/** The row once it is enough; undefined if it is not within the time, or that is 0. */
export const waitForRow = async <Row>(
  find: () => Promise<Found<Row>>,
  { waitMs, isEnough }: { readonly waitMs: number; readonly isEnough?: (row: Row) => boolean },
): Promise<Known<Row> | undefined> => {
  const endMs = performance.now() + waitMs
  while (performance.now() < endMs) {
    const found = await unlessMoving(find())
    const known = found && withRow(found)
    if (known !== undefined && (isEnough?.(known.row) ?? true)) return known
    await sleep(pollMs)
  }
  return undefined
}

/** Rows that a route cannot do without: there, not there for sure, or not to be known yet. */

import { setTimeout as sleep } from 'node:timers/promises'
import { RouteProblem } from './route-problem.ts'
import type { Found } from './shop-access.ts'
import { unlessMoving } from './unless-moving.ts'

export interface Known<Row> extends Found<Row> {
  readonly row: Row
}

/** How long a request about something unknown waits for what was written before it. */
export const behindWaitMs = 2_000
const pollMs = 20

/**
 * @param what  for the message, such as `product tea`
 * @throws {RouteProblem} 404: there is none; 503: cannot be known yet
 */
export const knownRow = async <Row>(
  find: () => Promise<Found<Row>>,
  findSettled: () => Promise<Found<Row> | undefined>,
  what: string,
): Promise<Known<Row>> => {
  const now = await find()
  const found = now.row === undefined ? await findSettled() : now
  if (found === undefined) {
    throw new RouteProblem(503, 'The shop is behind and cannot tell yet; ask again.')
  }
  const { row, source } = found
  if (row === undefined) throw new RouteProblem(404, `There is no ${what}.`)
  return { row, source }
}

/** The row once it is enough; undefined if it is not within the time, or that is 0. */
export const waitForRow = async <Row>(
  find: () => Promise<Found<Row>>,
  { waitMs, isEnough }: { readonly waitMs: number; readonly isEnough?: (row: Row) => boolean },
): Promise<Known<Row> | undefined> => {
  const endMs = performance.now() + waitMs
  while (performance.now() < endMs) {
    const found = await unlessMoving(find())
    const row = found?.row
    if (found !== undefined && row !== undefined && (isEnough?.(row) ?? true)) {
      return { ...found, row }
    }
    await sleep(pollMs)
  }
  return undefined
}

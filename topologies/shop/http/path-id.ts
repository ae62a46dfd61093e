/**
 * Ids in paths: the same bound as in bodies, whatever their characters.
 *
 * Not by the route's schema: its length counts code points, ours counts as JavaScript does.
 */

import { idLengthMax } from '../shared/order-limits.ts'
import { textProblem } from '../shared/text-problem.ts'
import { RouteProblem } from './route-problem.ts'

/** @throws {RouteProblem} 400 */
export const pathId = (
  id: string,
  what: 'order' | 'product' | 'update' | 'customer' | 'payment' | 'shipment',
): string => {
  const problem = textProblem(id, idLengthMax)
  if (problem !== undefined) throw new RouteProblem(400, `The ${what} id ${problem}.`)
  return id
}

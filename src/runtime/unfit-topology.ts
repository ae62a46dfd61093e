/** Whether a topology may be started on a state that another one made. */

import { RuntimeError } from '../errors/classes.ts'
import { differenceText, type TopologyDifference } from '../topology/topology-difference.ts'

/**
 * @param acceptsLoss  differences that leave state behind are no reason to refuse
 * @throws {RuntimeError} STREAMS_STATE_MISMATCH: each difference with the way out
 */
export const refuseUnfit = (
  differences: readonly TopologyDifference[],
  acceptsLoss: boolean,
): void => {
  const unfit = differences.filter(
    ({ consequence }) =>
      consequence === 'forbidden' || (consequence === 'losesState' && !acceptsLoss),
  )
  if (unfit.length === 0) return
  const texts = unfit.map((difference) => differenceText(difference))
  throw new RuntimeError('STREAMS_STATE_MISMATCH', texts.join('\n'))
}

/** Whether a driver may go on with another version of its topology. */

import { RuntimeError } from '../errors/classes.ts'
import { refuseUnfit } from '../runtime/unfit-topology.ts'
import { compareTopologies } from '../topology/compare-topologies.ts'
import { describeJson } from '../topology/describe-json.ts'
import type { Topology } from '../topology/topology.ts'
import { shapeOf, type TopologyShape } from '../topology/topology-shape.ts'

/**
 * As a start does; but stores that move are restored from changelogs, which are not kept here.
 *
 * @throws {RuntimeError} STREAMS_STATE_MISMATCH
 */
export const refuseChange = (before: Topology, now: Topology): void => {
  const [was, is] = [before, now].map(({ plan }) => shapeOf(describeJson(plan))) as [
    TopologyShape,
    TopologyShape,
  ]
  refuseUnfit(compareTopologies(was, is), false)
  for (const { name, subTopology } of is.stores) {
    const known = was.stores.find((store) => store.name === name)
    if (known === undefined || known.subTopology === subTopology) continue
    throw new RuntimeError(
      'STREAMS_STATE_MISMATCH',
      `store ${name} moves to sub-topology ${subTopology}: only an application can restore it`,
    )
  }
}

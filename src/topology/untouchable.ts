/**
 * Stands for a store where none may be used: touching it says why, instead of losing a write.
 *
 * Given to nodes while a plan is made, and in a task to the nodes of other sub-topologies. One per
 * store handle, since a pipeline is rebuilt after each failed record.
 */

import { TopologyError } from '../errors/classes.ts'
import type { Store } from '../stores/store.ts'

const made = new WeakMap<Store, object>()

/** @returns an object that throws STREAMS_TOPOLOGY_INVALID on any access; fix the definition */
export const untouchable = <Opened>(store: Store<Opened>): Opened => {
  let proxy = made.get(store)
  if (proxy === undefined) {
    const refuse = (): never => {
      throw new TopologyError(
        'STREAMS_TOPOLOGY_INVALID',
        `the store ${store.name} was used where `
          + 'no record can be: while the topology is built, or by a task of another sub-topology. '
          + 'Use stores only inside the functions that get a record or a time.',
      )
    }
    proxy = new Proxy({}, { get: refuse, has: refuse, set: refuse, ownKeys: refuse })
    made.set(store, proxy)
  }
  return proxy as Opened
}

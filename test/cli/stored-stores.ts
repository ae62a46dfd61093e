/** Reads over a source of stores that this process has whole, as the surfaces get them. */

import type { Broker } from '../../src/broker/port.ts'
import type { NamedStores } from '../../src/cli/read-store.ts'
import type { StoreSource } from '../../src/cli/store-source.ts'
import { StoredReads } from '../../src/cli/stored-reads.ts'
import type { Store } from '../../src/index.ts'
import type { TopologyDriver } from '../../src/testing/index.ts'

export const storedStores = (stores: StoreSource): NamedStores => {
  const broker = undefined as unknown as Broker // asked only for what is not settled
  return { stores, reads: new StoredReads({ broker, stores, applicationId: 'test' }) }
}

/** Of a driver whose topology has one store, and no global table. */
export const storesOf = (driver: TopologyDriver, store: Store): NamedStores =>
  storedStores({
    named: () => store,
    query: (wanted) => driver.query(wanted),
    global: async () => undefined,
  })

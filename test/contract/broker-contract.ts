/**
 * Goal: every adapter of `src/broker/port.ts` keeps the same promises, so that what holds on the
 * embedded broker holds on Kafka. Method: one suite over the port only, run for each adapter by
 * its own test file; what an adapter cannot do is declared in its harness and left out.
 */

import { afterEach, beforeEach, describe } from 'vitest'
import { durabilityContract } from './broker/durability-contract.ts'
import { fetchContract } from './broker/fetch-contract.ts'
import { groupContract } from './broker/group-contract.ts'
import { type BrokerHarness, Cluster } from './broker/harness.ts'
import { fencingContract } from './broker/fencing-contract.ts'
import { logContract } from './broker/log-contract.ts'
import { maintenanceContract } from './broker/maintenance-contract.ts'
import { offsetsContract } from './broker/offsets-contract.ts'
import { settingsContract } from './broker/settings-contract.ts'
import { transactionContract } from './broker/transaction-contract.ts'

export interface BrokerSupports {
  /** The harness can kill and restart the cluster. */
  readonly restart: boolean
  /** The harness can run retention and compaction. */
  readonly maintain: boolean
}

export const brokerContract = (
  name: string,
  factory: () => Promise<BrokerHarness>,
  supports: BrokerSupports,
): void => {
  describe(`broker contract: ${name}`, () => {
    let cluster: Cluster

    beforeEach(async () => {
      cluster = new Cluster(await factory())
      await cluster.open()
    })

    afterEach(async () => cluster.harness.dispose())

    const current = (): Cluster => cluster
    logContract(current)
    settingsContract(current)
    fetchContract(current)
    transactionContract(current)
    fencingContract(current)
    offsetsContract(current)
    groupContract(current)
    if (supports.restart) durabilityContract(current)
    if (supports.maintain) maintenanceContract(current)
  })
}

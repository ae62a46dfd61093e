/** The contract of the broker port, on a real Kafka. */

import { describe, it, vi } from 'vitest'
import { brokerContract } from '../contract/broker-contract.ts'
import { KafkaHarness } from './kafka-harness.ts'
import { realKafka } from './real-kafka.ts'

// session and transaction time-outs pass in real time here
vi.setConfig({ testTimeout: 30_000 })

const kafka = await realKafka()
// restarts and compaction of a shared cluster are not a test's to do
const supports = { restart: false, maintain: false }

if ('skipped' in kafka) {
  describe('broker contract: kafka', () => {
    it.skip(`skipped: ${kafka.skipped}`, () => {})
  })
} else {
  const { bootstrap } = kafka
  brokerContract('kafka', async () => new KafkaHarness({ bootstrap }), supports)
}

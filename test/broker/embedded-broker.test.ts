import { brokerContract } from '../contract/broker-contract.ts'
import { EmbeddedHarness, memorySource, rocksSource } from './embedded-harness.ts'

const supports = { restart: true, maintain: true }

brokerContract('embedded, memory', () => EmbeddedHarness.open(memorySource()), supports)
brokerContract('embedded, rocksdb', () => EmbeddedHarness.open(rocksSource()), supports)
brokerContract(
  'embedded, memory, no tail cache',
  () => EmbeddedHarness.open(memorySource(), { cacheBytesMax: 0 }),
  supports,
)

import { brokerContract } from '../contract/broker-contract.ts'
import { diskSource, EmbeddedHarness, memorySource } from './embedded-harness.ts'

const supports = { restart: true, maintain: true }

brokerContract('embedded, memory', () => EmbeddedHarness.open(memorySource()), supports)
brokerContract('embedded, rocksdb', () => EmbeddedHarness.open(diskSource('rocksdb')), supports)
brokerContract(
  'embedded, memory, no tail cache',
  () => EmbeddedHarness.open(memorySource(), { cacheBytesMax: 0 }),
  supports,
)

import { brokerContract } from '../contract/broker-contract.ts'
import { diskSource, EmbeddedHarness } from './embedded-harness.ts'

brokerContract('embedded, lmdb', () => EmbeddedHarness.open(diskSource('lmdb')), {
  restart: true,
  maintain: true,
})

/** The public test tools: `import { TopologyDriver } from 'millrace/testing'`. */

export { ManualClock } from './manual-clock.ts'
export { Prng } from './prng.ts'
export {
  type DriverDeadLetter,
  type DriverOptions,
  type DriverOutput,
  type PipeOptions,
  TopologyDriver,
} from './topology-driver.ts'

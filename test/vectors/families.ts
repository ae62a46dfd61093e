/** Every recorded topology that has one of ours: one line per family. */

import { type Family } from './family.ts'
import { statelessFamily } from './topologies/stateless.ts'

export const families: Family = {
  ...statelessFamily,
}

/** Every recorded topology that has one of ours: one line per family. */

import type { Family } from './family.ts'
import { aggregatesFamily } from './topologies/aggregates.ts'
import { rekeyedFamily } from './topologies/rekeyed.ts'
import { foreignKeyFamily } from './topologies/foreign-key.ts'
import { globalJoinsFamily } from './topologies/global-joins.ts'
import { statelessFamily } from './topologies/stateless.ts'
import { suppressedFamily } from './topologies/suppressed.ts'
import { windowsFamily } from './topologies/windows.ts'
import { tablesFamily } from './topologies/tables.ts'
import { streamJoinsFamily } from './topologies/stream-joins.ts'
import { tableJoinsFamily } from './topologies/table-joins.ts'

export const families: Family = {
  ...aggregatesFamily,
  ...rekeyedFamily,
  ...statelessFamily,
  ...suppressedFamily,
  ...foreignKeyFamily,
  ...globalJoinsFamily,
  ...streamJoinsFamily,
  ...windowsFamily,
  ...tableJoinsFamily,
  ...tablesFamily,
}

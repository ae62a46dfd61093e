/** A mistake: `scan` keeps its sum in memory, where no changelog and no restart finds it. */

import { scan } from 'rxjs'
import { aggregate, json, stream, tableStore, to, topic, topology, utf8 } from '../../src/index.ts'

export const amounts = topic('amounts', { key: utf8, value: json<number>() })
export const sums = topic('sums', { key: utf8, value: json<number>() })
const totals = tableStore('totals', { key: utf8, value: json<number>() })

/** One sum of whatever came since the pipeline was made, over all keys of the partition. */
export const forgetful = topology('forgetful', () => [
  stream(amounts).pipe(
    scan((sum, record) => record.withValue(sum.value + record.value)),
    to(sums),
  ),
])

/** One sum per key, in a store. */
export const remembering = topology('remembering', () => [
  stream(amounts).pipe(
    aggregate(
      totals,
      () => 0,
      (sum, amount) => sum + amount,
    ),
    to(sums),
  ),
])

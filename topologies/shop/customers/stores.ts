/** State of the customers flow, partitioned by customerId. */

import { keyValueStore, utf8 } from '../../../src/index.ts'
import { customerRows } from './customer-row.ts'

/** By `customerKey`; rows are kept as the orders themselves are. */
export const customerStore = keyValueStore('customer-orders', { key: utf8, value: customerRows })

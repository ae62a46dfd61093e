/** State of the inventory flow, partitioned by productId. */

import { json, keyValueStore, utf8 } from '../../../src/index.ts'
import { holdRows, type ProductRow, type StockCommandRow } from './stock-row.ts'

/** By productId. */
export const productStore = keyValueStore('products', { key: utf8, value: json<ProductRow>() })

/** By `<productId>|<holdId>`; closed holds stay for `memoryMs`. */
export const holdStore = keyValueStore('holds', { key: utf8, value: holdRows })

/** By commandId of UpdateStock, for `memoryMs`. */
export const stockCommands = keyValueStore('stock-commands', {
  key: utf8,
  value: json<StockCommandRow>(),
})

/** `<ms>|h<hold key>` per hold and `<ms>|c<commandId>` per command: when to look at it. */
export const stockDeadlines = keyValueStore('stock-deadlines', { key: utf8, value: json<1>() })

/** Counters of the task. */
export const inventoryTotals = keyValueStore('inventory-totals', {
  key: utf8,
  value: json<number>(),
})

export const holdKey = (productId: string, holdId: string): string => `${productId}|${holdId}`

/** State of the shipments flow, partitioned by orderId. */

import { json, keyValueStore, utf8 } from '../../../src/index.ts'
import { shipmentRows } from './shipment-row.ts'

/** By shipmentId. */
export const shipmentStore = keyValueStore('shipments', { key: utf8, value: shipmentRows })

/** `<ms>|<shipmentId>` per shipment the automatic carrier has still to move. */
export const shipmentSteps = keyValueStore('shipment-steps', { key: utf8, value: json<1>() })

/** Counters of the task. */
export const shipmentTotals = keyValueStore('shipment-totals', { key: utf8, value: json<number>() })

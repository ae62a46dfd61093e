/**
 * The shipments flow: one shipment per order, by orderId; the automatic carrier moves it on.
 *
 * Glue only: asks `model.ts`. Part of `shop.ts`.
 */

import { type KeyValueState, type Observable, process, stream, to } from '../../../src/index.ts'
import { checkKey } from '../shared/check-key.ts'
import type { ShipmentCommand } from '../shared/commands.ts'
import type { ShopConfig } from '../shared/config.ts'
import { type DueRows, dueRows, type DueTimes, withRowsRead } from '../shared/due-rows.ts'
import { count, type Counters, duplicatesCounter } from '../shared/counters.ts'
import type { ShipmentEvent } from '../shared/events.ts'
import { restOf, timeKey } from '../shared/time-index.ts'
import { shipmentCommands, shipments } from '../shared/topics.ts'
import { advanceShipment, decideShipment, dueAnew, type ShipmentContext } from './model.ts'
import type { ShipmentRow } from './shipment-row.ts'
import { shipmentSteps, shipmentStore, shipmentTotals } from './stores.ts'

/** Shipments moved in one punctuation; more wait for the next one. */
const stepsMax = 2000

interface ShipmentStores {
  readonly rows: KeyValueState<string, ShipmentRow>
  readonly steps: KeyValueState<string, 1>
  readonly totals: Counters
}

export const shipmentsFlow = (config: ShopConfig): readonly Observable<unknown>[] => [
  stream(shipmentCommands).pipe(decider(config), to(shipments)),
]

const decider = (config: ShopConfig) => {
  const stores = { rows: shipmentStore, steps: shipmentSteps, totals: shipmentTotals }
  const contextOf = (nowMs: number): ShipmentContext => ({ ...config.carrier, nowMs })
  const due = dueRows(stepsMax)
  return process<string, ShipmentCommand, typeof stores, ShipmentEvent>('shipments', stores, {
    onRecord: ({ key, value }, opened, context) => {
      checkKey(key, value.data.orderId, 'orderId')
      const row = opened.rows.get(value.data.shipmentId)
      const decision = decideShipment(row, value, contextOf(context.nowMs()))
      if (decision === undefined) {
        count(opened.totals, duplicatesCounter)
        return []
      }
      store(opened, row, decision.row)
      return decision.events
    },
    prefetchKeys: ({ value }) => ({ rows: [value.data.shipmentId] }),
    punctuators: {
      carrier: {
        everyMs: config.carrier.checkEveryMs,
        on: 'wallClock',
        run: (nowMs, opened, context) => {
          const times = { dueMs: nowMs, nowMs, latestNowMs: context.latestNowMs() }
          return moveShipments(opened, { due, times }, contextOf(nowMs))
        },
      },
    },
  })
}

const moveShipments = (
  opened: ShipmentStores,
  { due, times }: { readonly due: DueRows; readonly times: DueTimes },
  context: ShipmentContext,
): readonly (readonly [string, ShipmentEvent])[] => {
  const sent: (readonly [string, ShipmentEvent])[] = []
  for (const indexKey of withRowsRead(due.next(opened.steps, times), opened.rows)) {
    opened.steps.delete(indexKey)
    const row = opened.rows.get(restOf(indexKey))
    if (row === undefined) continue
    const moved = advanceShipment(row, context)
    store(opened, row, moved.row)
    for (const event of moved.events) sent.push([row.orderId, event])
  }
  for (const indexKey of due.ahead(opened.steps, times)) {
    const row = opened.rows.get(restOf(indexKey))
    const anew = row && dueAnew(row, context.nowMs)
    if (anew !== undefined) store(opened, row, anew)
  }
  return sent
}

const store = (
  { rows, steps }: ShipmentStores,
  before: ShipmentRow | undefined,
  row: ShipmentRow,
): void => {
  rows.put(row.shipmentId, row)
  if (before?.dueMs === row.dueMs) return
  if (before?.dueMs !== undefined) steps.delete(timeKey(before.dueMs, row.shipmentId))
  if (row.dueMs !== undefined) steps.put(timeKey(row.dueMs, row.shipmentId), 1)
}

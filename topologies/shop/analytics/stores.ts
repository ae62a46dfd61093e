/**
 * State of the analytics: figures by minute and by hour, in the task that has the events.
 *
 * Every task counts for itself; rows of all tasks are merged where they are read. Minutes are kept
 * for two days and hours for 35, from their start, in stream time: see `windowStore`.
 */

import {
  days,
  hours,
  keyValueStore,
  minutes,
  type Store,
  utf8,
  type WindowState,
  windowStore,
  type WindowStore,
} from '../../../src/index.ts'
import { type FigureRow, figureRows } from './figure-row.ts'
import { lowStockRows } from './low-stock-row.ts'

export type Granularity = 'minute' | 'hour'

export const windowMsOf: Readonly<Record<Granularity, number>> = {
  minute: minutes(1),
  hour: hours(1),
}

const retentionMsOf: Readonly<Record<Granularity, number>> = { minute: days(2), hour: days(35) }

/** By label (`figure-key.ts`) and start of the window. */
export type FigureStores = Readonly<Record<Granularity, WindowStore<string, FigureRow>>>

/** The same, opened by a task. */
export type FigureStates = Readonly<Record<Granularity, WindowState<string, FigureRow>>>

const figureStores = (name: string): FigureStores => {
  const serdes = { key: utf8, value: figureRows }
  return {
    minute: windowStore(`${name}-minutes`, { ...serdes, retentionMs: retentionMsOf.minute }),
    hour: windowStore(`${name}-hours`, { ...serdes, retentionMs: retentionMsOf.hour }),
  }
}

/** Orders and payment delays, by orderId. */
export const orderFigures = figureStores('order')
/** By orderId. */
export const paymentFigures = figureStores('payment')
/** By orderId. */
export const shippingFigures = figureStores('shipping')
/** By productId. */
export const stockFigures = figureStores('stock')

/** By productId: the products that are low now. */
export const lowStock = keyValueStore('low-stock', { key: utf8, value: lowStockRows })

/** Every store of the analytics. */
export const analyticsStores: readonly Store[] = [
  ...[orderFigures, paymentFigures, shippingFigures, stockFigures].flatMap(({ minute, hour }) => [
    minute,
    hour,
  ]),
  lowStock,
]

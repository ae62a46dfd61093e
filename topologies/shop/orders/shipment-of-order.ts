/** What an order asks to be shipped: the same whoever asks, and however often. */

import type { CreateShipmentData } from '../shared/commands.ts'
import { shipmentIdOf } from '../shared/ids.ts'
import type { OrderRow } from './order-row.ts'

type ShippedFields = 'orderId' | 'lines' | 'shippingAddress' | 'totalMinor' | 'currency'

export const shipmentOfOrder = ({
  orderId,
  lines,
  shippingAddress,
  totalMinor,
  currency,
}: Pick<OrderRow, ShippedFields>): CreateShipmentData => ({
  shipmentId: shipmentIdOf(orderId),
  orderId,
  items: lines.map(({ productId, quantity }) => ({ productId, quantity })),
  ...(shippingAddress !== undefined && { shippingAddress }),
  totalMinor,
  currency,
})

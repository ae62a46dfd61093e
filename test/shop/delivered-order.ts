import type { OrderRow } from '../../topologies/shop/orders/order-row.ts'

/** Two teas, paid and delivered: breaks no invariant until a test changes it. */
export const deliveredOrder: OrderRow = {
  orderId: 'o',
  version: 9,
  status: 'completed',
  customerId: 'c',
  currency: 'EUR',
  paymentMethod: 'card',
  totalMinor: 20,
  placedAtMs: 0,
  createdAtMs: 0,
  createHash: 'h',
  correlationId: 'c',
  shipment: { status: 'DELIVERED', version: 3, carrier: 'x', trackingNumber: 'y' },
  lines: [{ productId: 'tea', quantity: 2, priceMinor: 10, state: 'deducted' }],
  charges: [{ paymentId: 'p', state: 'captured', capturedMinor: 20 }],
}

/**
 * The kinds of problems that a client of the shop may want to tell apart: their `type`.
 *
 * Thrown by the routes through `RouteProblem`, and told by their documents. What a status says
 * alone, such as a malformed body, has no kind.
 */

import type { ProblemKind } from '../../../src/index.ts'

export const problemKinds = {
  noSuchOrder: { name: 'no-such-order', status: 404, title: 'There is no such order' },
  noSuchProduct: { name: 'no-such-product', status: 404, title: 'There is no such product' },
  noSuchPayment: { name: 'no-such-payment', status: 404, title: 'There is no such payment' },
  noSuchShipment: { name: 'no-such-shipment', status: 404, title: 'There is no such shipment' },
  noSuchUpdate: { name: 'no-such-update', status: 404, title: 'There is no such update' },
  noSuchStore: { name: 'no-such-store', status: 404, title: 'There is no such store' },
  noSuchRow: { name: 'no-such-row', status: 404, title: 'The store has no such row' },
  orderIdInUse: { name: 'order-id-in-use', status: 409, title: 'The order has another body' },
  orderEnded: { name: 'order-ended', status: 409, title: 'The order ended already' },
  orderFrozen: { name: 'order-frozen', status: 409, title: 'The order cannot be changed any more' },
  stockRefused: { name: 'stock-refused', status: 409, title: 'The stock is not changed' },
  notPayable: { name: 'not-payable', status: 409, title: 'The order waits for no such payment' },
  nothingCaptured: { name: 'nothing-captured', status: 409, title: 'There is nothing to pay back' },
  refundTooHigh: { name: 'refund-too-high', status: 409, title: 'That much is not left' },
  notToShip: { name: 'not-to-ship', status: 409, title: 'The order does not ship now' },
  statusRefused: { name: 'status-refused', status: 409, title: 'The shipment is not changed' },
  keyInFlight: {
    name: 'key-in-flight',
    status: 409,
    title: 'The first request with this key is not answered yet',
    isNotNow: true,
  },
  versionPassed: { name: 'version-passed', status: 412, title: 'Another version is current' },
  wrongCurrency: { name: 'wrong-currency', status: 422, title: 'The order has another currency' },
  personalDataClosed: {
    name: 'personal-data-closed',
    status: 503,
    title: 'Personal data cannot be sealed or read',
  },
  keyReused: { name: 'key-reused', status: 422, title: 'The key came with another request' },
} as const satisfies Readonly<Record<string, ProblemKind>>

/** One line of a load file: an order with the id it always gets, or why it is none. */

import type { ParsedOrder } from '../shared/order-request.ts'

export type LoadLine =
  | { readonly ok: true; readonly orderId: string; readonly order: ParsedOrder }
  | { readonly ok: false; readonly reason: string }

/** The whole walk, in its order: later steps need what earlier ones did. */

import type { Step } from '../step.ts'
import { orderSteps } from './order-steps.ts'
import { paymentSteps } from './payment-steps.ts'
import { querySteps } from './query-steps.ts'
import { shipmentSteps } from './shipment-steps.ts'
import { stockSteps } from './stock-steps.ts'

export const shopSteps: readonly Step[] = [
  ...stockSteps,
  ...orderSteps,
  ...paymentSteps,
  ...shipmentSteps,
  ...querySteps,
]

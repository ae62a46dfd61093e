/**
 * The whole walk, in its order: later steps need what earlier ones did.
 *
 * A chapter is walked with flags of its own; between two the replicas are started again over the
 * state they have, which is one more thing shown.
 */

import type { Step } from '../step.ts'
import { operationSteps, silentAlarms } from './operation-steps.ts'
import { orderSteps } from './order-steps.ts'
import { partsSteps } from './parts-steps.ts'
import { paymentSteps } from './payment-steps.ts'
import { querySteps } from './query-steps.ts'
import { shipmentSteps } from './shipment-steps.ts'
import { stockSteps } from './stock-steps.ts'

export interface Chapter {
  readonly name: string
  /** Of `millrace run shop`, beyond those of every walk. */
  readonly flags: readonly string[]
  readonly steps: readonly Step[]
}

export const shopChapters: readonly Chapter[] = [
  {
    name: 'as it is by default',
    flags: [],
    steps: [
      ...stockSteps,
      ...orderSteps,
      ...paymentSteps,
      ...shipmentSteps,
      ...querySteps,
      ...operationSteps,
    ],
  },
  {
    name: 'with backorders, over the same state',
    flags: ['--backorders', 'on'],
    steps: [...partsSteps, silentAlarms],
  },
]

/**
 * Settings of the shop: how long it waits, what it warns of, whom it asks for money.
 *
 * All times are ms of processing time. Given by whoever starts the shop (CLI, tests); the models
 * get the part that concerns them.
 */

import { days, hours, minutes, seconds } from '../../../src/index.ts'
import type { PaymentGateway } from '../gateway/payment-gateway.ts'
import type { OnViolation } from './violation.ts'
import type { CarrierRule } from '../shipments/carrier-strategy.ts'

export interface DeadlineConfig {
  /** For an answer of another flow; past it an alarm is raised and the wait goes on. */
  readonly replyMs: number
  /** For the customer's transfer; past it the order expires. A card's answer: alarm only. */
  readonly paymentMs: number
  /** From confirmation to delivery; past it an alarm is raised. */
  readonly deliveryMs: number
  /** How often deadlines and holds are looked at. */
  readonly checkEveryMs: number
}

export interface InventoryConfig {
  /** How long stock is held for an order that does not deduct it. */
  readonly holdMs: number
  /** How long ended holds and command ids are remembered. */
  readonly memoryMs: number
  /** StockLow is told once when what is available falls to this. */
  readonly lowStockThreshold: number
  readonly checkEveryMs: number
}

export interface BackorderConfig {
  /**
   * Whether a line that lacks stock waits for it, instead of its order being rejected.
   *
   * Decided once, when an order is created: off again, lines that wait go on waiting.
   */
  readonly accepted: boolean
  /** How long a line waits at most; it is cancelled then, and paid back if it was paid. */
  readonly waitMs: number
}

export interface CarrierConfig {
  /** Who takes what; the first rule that holds. */
  readonly rules: readonly CarrierRule[]
  /** Names to choose from where no rule holds, by the shipment's id. At least one. */
  readonly carriers: readonly string[]
  /** `automatic`: the fake carrier ships and delivers by itself; `manual`: by commands only. */
  readonly mode: 'automatic' | 'manual'
  readonly shipAfterMs: number
  readonly deliverAfterMs: number
  readonly checkEveryMs: number
}

export interface GatewayCallConfig {
  /** Calls at once, per task. */
  readonly maxInFlight: number
  /** Attempts before an outcome is reported as unknown. */
  readonly attemptsMax: number
  readonly timeoutMs: number
  readonly backoffMs: number
  readonly backoffMaxMs: number
  /** Share of a wait that differs by request, 0 to 1. */
  readonly backoffJitter: number
}

export interface ShopConfig {
  readonly gateway: PaymentGateway
  readonly gatewayCalls: GatewayCallConfig
  readonly deadlines: DeadlineConfig
  readonly inventory: InventoryConfig
  readonly carrier: CarrierConfig
  readonly backorders: BackorderConfig
  /** Charges tried per order; each but the first follows a definite decline. */
  readonly chargesMax: number
  /**
   * Whether the events of orders are collected by customer: three records more per order.
   *
   * Off, nothing is known of customers' orders of that time, also if it is on again later.
   */
  readonly customers: boolean
  /** Whether every event is written to the audit too: a record more per event. */
  readonly audit: boolean
  /** Whether customers are told what became of their orders: three records of most orders. */
  readonly notifications: boolean
  /** Whether figures are counted (`analytics/`). Off, what happens meanwhile is in none later. */
  readonly analytics: boolean
  /** Told of decisions that break an invariant; without it none is checked. */
  readonly onViolation?: OnViolation | undefined
  /**
   * Whether personal data is sealed at the edge, so that it can be erased. Orders without any cost
   * nothing. Off, it is written as it comes; what is sealed already is still opened, and erased.
   */
  readonly erasure: boolean
}

type Single =
  | 'gateway'
  | 'chargesMax'
  | 'customers'
  | 'audit'
  | 'notifications'
  | 'analytics'
  | 'onViolation'
  | 'erasure'

export type ShopSettings = Pick<ShopConfig, 'gateway'>
  & Partial<Pick<ShopConfig, Single>> & {
    readonly [Part in Exclude<keyof ShopConfig, Single>]?: Partial<ShopConfig[Part]>
  }

const defaults: Omit<ShopConfig, 'gateway'> = {
  gatewayCalls: {
    maxInFlight: 64,
    attemptsMax: 5,
    timeoutMs: 10_000,
    backoffMs: 200,
    backoffMaxMs: 30_000,
    backoffJitter: 0,
  },
  deadlines: {
    replyMs: minutes(5),
    paymentMs: minutes(15),
    deliveryMs: days(14),
    checkEveryMs: seconds(1),
  },
  inventory: {
    holdMs: minutes(60),
    memoryMs: hours(24),
    lowStockThreshold: 10,
    checkEveryMs: seconds(1),
  },
  carrier: {
    rules: [],
    carriers: ['Blue Parcel', 'Northway', 'Swift'],
    mode: 'automatic',
    shipAfterMs: 0,
    deliverAfterMs: 0,
    checkEveryMs: 100,
  },
  backorders: { accepted: false, waitMs: days(14) },
  chargesMax: 1,
  customers: true,
  audit: true,
  notifications: true,
  analytics: true,
  erasure: true,
}

/** Fills in the defaults; what is given wins, field by field. */
export const shopConfig = (given: ShopSettings): ShopConfig => ({
  gateway: given.gateway,
  chargesMax: given.chargesMax ?? defaults.chargesMax,
  customers: given.customers ?? defaults.customers,
  audit: given.audit ?? defaults.audit,
  notifications: given.notifications ?? defaults.notifications,
  analytics: given.analytics ?? defaults.analytics,
  onViolation: given.onViolation,
  erasure: given.erasure ?? defaults.erasure,
  gatewayCalls: { ...defaults.gatewayCalls, ...given.gatewayCalls },
  deadlines: { ...defaults.deadlines, ...given.deadlines },
  inventory: { ...defaults.inventory, ...given.inventory },
  carrier: { ...defaults.carrier, ...given.carrier },
  backorders: { ...defaults.backorders, ...given.backorders },
})

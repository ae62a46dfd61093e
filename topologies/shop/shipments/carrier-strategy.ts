/**
 * Which carrier takes a shipment, and how long it will be on its way: rules as data, first match.
 *
 * Pure; called by `model.ts` once per shipment, with what the command tells. 1. Equal shipments
 * under equal settings get the same carrier, also in a replay. 2. A condition on something that is
 * not known of the shipment does not hold. 3. What no rule takes is spread evenly over the carriers
 * there are, by the shipment's id.
 */

import type { CreateShipmentData } from '../shared/commands.ts'

export interface CarrierRule {
  readonly carrier: string
  /** ISO-3166 codes of two letters; anywhere if absent. */
  readonly countries?: readonly string[]
  /** Of all goods together; inclusive. */
  readonly unitsMin?: number
  readonly unitsMax?: number
  /** Of the order's total, in this currency only; inclusive. */
  readonly value?: {
    readonly currency: string
    readonly minMinor?: number
    readonly maxMinor?: number
  }
  /** From leaving to arrival; that of the settings if absent. */
  readonly deliverAfterMs?: number
}

export interface CarrierChoices {
  readonly rules: readonly CarrierRule[]
  /** At least one. */
  readonly carriers: readonly string[]
}

/** What rules look at. */
export type ShipmentFacts = Pick<
  CreateShipmentData,
  'shipmentId' | 'items' | 'shippingAddress' | 'totalMinor' | 'currency'
>

export const chooseCarrier = (
  shipment: ShipmentFacts,
  { rules, carriers }: CarrierChoices,
): { readonly carrier: string; readonly deliverAfterMs?: number } => {
  const rule = rules.find((each) => holds(each, shipment))
  if (rule === undefined) return { carrier: byLot(shipment.shipmentId, carriers) }
  const { carrier, deliverAfterMs } = rule
  return { carrier, ...(deliverAfterMs !== undefined && { deliverAfterMs }) }
}

/**
 * The country an address ends with: `…, Hamburg, DE`.
 *
 * @returns  in capitals; undefined if its last part, behind a comma or line, is no two letters
 */
export const countryOf = (address: string | undefined): string | undefined => {
  const last = address?.split(/[,\n]/).at(-1)?.trim()
  return last !== undefined && /^[A-Za-z]{2}$/.test(last) ? last.toUpperCase() : undefined
}

const holds = (rule: CarrierRule, shipment: ShipmentFacts): boolean => {
  const { countries, unitsMin, unitsMax, value } = rule
  if (countries !== undefined) {
    const country = countryOf(shipment.shippingAddress)
    if (country === undefined || !countries.includes(country)) return false
  }
  if (unitsMin !== undefined || unitsMax !== undefined) {
    const units = shipment.items.reduce((sum, { quantity }) => sum + quantity, 0)
    if (!isWithin(units, unitsMin, unitsMax)) return false
  }
  if (value === undefined) return true
  const { totalMinor, currency } = shipment
  if (totalMinor === undefined || currency !== value.currency) return false
  return isWithin(totalMinor, value.minMinor, value.maxMinor)
}

const isWithin = (amount: number, min = 0, max = Number.POSITIVE_INFINITY): boolean =>
  amount >= min && amount <= max

const byLot = (shipmentId: string, carriers: readonly string[]): string => {
  const lot = Number.parseInt(shipmentId.slice(0, 8), 16)
  return carriers[lot % carriers.length] ?? 'carrier'
}

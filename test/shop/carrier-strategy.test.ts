import { describe, expect, it } from 'vitest'
import { shipmentIdOf } from '../../topologies/shop/shared/ids.ts'
import { newCommand } from '../../topologies/shop/shared/new-command.ts'
import {
  type CarrierRule,
  chooseCarrier,
  countryOf,
  type ShipmentFacts,
} from '../../topologies/shop/shipments/carrier-strategy.ts'
import { advanceShipment, decideShipment } from '../../topologies/shop/shipments/model.ts'

const carriers = ['Swift', 'Northway', 'Blue']
const rules: readonly CarrierRule[] = [
  { carrier: 'Valuables', value: { currency: 'EUR', minMinor: 100_000 }, deliverAfterMs: 1 },
  { carrier: 'Freight', unitsMin: 50 },
  { carrier: 'Nordpost', countries: ['SE', 'NO'], unitsMax: 10, deliverAfterMs: 30 },
  { carrier: 'Letter', unitsMax: 1, value: { currency: 'EUR', maxMinor: 500 } },
]

const facts = (more: Partial<ShipmentFacts> = {}, units = 20): ShipmentFacts => ({
  shipmentId: shipmentIdOf('o'),
  items: [
    { productId: 'tea', quantity: units - 1 },
    { productId: 'pot', quantity: 1 },
  ],
  totalMinor: 2_000,
  currency: 'EUR',
  ...more,
})
const chosen = (shipment: ShipmentFacts): string =>
  chooseCarrier(shipment, { rules, carriers }).carrier

describe('a carrier', () => {
  it('is that of the first rule all of whose conditions hold', () => {
    const swedish = { shippingAddress: 'Storgatan 1, Kiruna, SE' }
    expect(chosen(facts({ totalMinor: 100_000 }, 99))).toBe('Valuables')
    expect(chosen(facts(swedish, 50))).toBe('Freight')
    expect(chosen(facts(swedish, 10))).toBe('Nordpost')
    expect(carriers).toContain(chosen(facts(swedish, 11)))
    expect(chosen(facts({ totalMinor: 500 }, 1))).toBe('Letter')
    expect(carriers).toContain(chosen(facts({ totalMinor: 501 }, 1)))
  })

  it('is not chosen by what is not known', () => {
    expect(carriers).toContain(chosen(facts({ totalMinor: 100_000, currency: 'JPY' })))
    const { totalMinor: _total, ...valueless } = facts()
    expect(carriers).toContain(chosen(valueless))
    expect(carriers).toContain(chosen(facts({}, 5)))
    expect(carriers).toContain(chosen(facts({ shippingAddress: 'Kiruna, Sweden' }, 5)))
  })

  it('is else spread evenly, the same for the same shipment', () => {
    const counts = new Map<string, number>()
    for (let index = 0; index < 3_000; index++) {
      const shipment = facts({ shipmentId: shipmentIdOf(`order-${index}`) })
      const carrier = chosen(shipment)
      expect(chosen(shipment)).toBe(carrier)
      counts.set(carrier, (counts.get(carrier) ?? 0) + 1)
    }
    for (const carrier of carriers) expect(counts.get(carrier)).toBeGreaterThan(850)
  })

  it('decides when the shipment is expected, and when it arrives by itself', () => {
    const data = {
      ...facts({ shippingAddress: 'Oslo\nno' }, 5),
      orderId: 'o',
    }
    const create = newCommand('CreateShipment', data, { commandId: 'c', source: 't', nowMs: 0 })
    const settings = {
      rules,
      carriers,
      mode: 'automatic',
      shipAfterMs: 100,
      deliverAfterMs: 9_000,
      checkEveryMs: 10,
    } as const
    const { row, events } = decideShipment(undefined, create, { ...settings, nowMs: 0 })!
    expect([row.carrier, row.estimatedDeliveryMs]).toEqual(['Nordpost', 130])
    expect(events[0]?.data).toMatchObject({
      carrier: 'Nordpost',
      estimatedDelivery: '1970-01-01T00:00:00.130Z',
    })
    const shipped = advanceShipment(row, { ...settings, nowMs: 100 })
    expect(shipped.row).toMatchObject({ status: 'SHIPPED', dueMs: 130 })
  })
})

describe('the country of an address', () => {
  it.each([
    ['Jungfernstieg 1, Hamburg, DE', 'DE'],
    ['1 Main St\nSpringfield\nus ', 'US'],
    ['Jungfernstieg 1, 20095 Hamburg', undefined],
    ['DE', 'DE'],
    ['', undefined],
    [undefined, undefined],
  ])('%j is %j', (address, country) => {
    expect(countryOf(address)).toBe(country)
  })
})

import { describe, expect, it } from 'vitest'
import type { ShipmentStatus } from '../../topologies/shop/shared/commands.ts'
import { shipmentIdOf } from '../../topologies/shop/shared/ids.ts'
import { newCommand } from '../../topologies/shop/shared/new-command.ts'
import {
  advanceShipment,
  decideShipment,
  type ShipmentContext,
} from '../../topologies/shop/shipments/model.ts'

const shipmentId = shipmentIdOf('o')
const origin = { commandId: 'c', source: 't', nowMs: 0 }
const create = newCommand(
  'CreateShipment',
  {
    shipmentId,
    orderId: 'o',
    items: [{ productId: 'tea', quantity: 1 }],
  },
  origin,
)
const update = (status: ShipmentStatus) =>
  newCommand('UpdateShipmentStatus', { shipmentId, orderId: 'o', status }, origin)
const at = (nowMs: number, mode: 'automatic' | 'manual' = 'automatic'): ShipmentContext => ({
  carriers: ['Swift', 'Northway'],
  mode,
  shipAfterMs: 100,
  deliverAfterMs: 200,
  checkEveryMs: 10,
  nowMs,
})

const created = decideShipment(undefined, create, at(0))!

describe('a shipment', () => {
  it('is made once per order', () => {
    expect(created.events.map(({ eventType }) => eventType)).toEqual(['shipment.created'])
    expect(decideShipment(created.row, create, at(5))).toBeUndefined()
    const other = { ...create, data: { ...create.data, shipmentId: 'mine' } }
    expect(() => decideShipment(undefined, other, at(0))).toThrow(/SHIPMENT_ID_REUSED/)
    const more = { ...create, data: { ...create.data, items: [] } }
    expect(() => decideShipment(created.row, more, at(0))).toThrow(/SHIPMENT_ID_REUSED/)
  })

  it('is moved by the automatic carrier when its time has come', () => {
    expect(advanceShipment(created.row, at(99)).events).toEqual([])
    const shipped = advanceShipment(created.row, at(100))
    expect([shipped.row.status, shipped.row.dueMs]).toEqual(['SHIPPED', 300])
    const delivered = advanceShipment(shipped.row, at(300))
    expect([delivered.row.status, delivered.row.dueMs]).toEqual(['DELIVERED', undefined])
    expect(advanceShipment(created.row, at(300)).events).toHaveLength(2)
    expect(advanceShipment(delivered.row, at(9e9)).events).toEqual([])
  })

  it('is moved by hand along its table only', () => {
    const { row } = decideShipment(undefined, create, at(0, 'manual'))!
    expect(row.dueMs).toBeUndefined()
    expect(() => decideShipment(row, update('DELIVERED'), at(1))).toThrow(/ILLEGAL_TRANSITION/)
    const shipped = decideShipment(row, update('SHIPPED'), at(1))!
    expect(shipped.row).toMatchObject({ status: 'SHIPPED', version: 2 })
    expect(decideShipment(shipped.row, update('SHIPPED'), at(2))).toBeUndefined()
    expect(() => decideShipment(undefined, update('SHIPPED'), at(1))).toThrow(/SHIPMENT_UNKNOWN/)
    expect(() => decideShipment(row, update('LOST' as ShipmentStatus), at(1))).toThrow(/status/)
  })

  it('leaves the automatic carrier once it was moved by hand', () => {
    expect(decideShipment(created.row, update('SHIPPED'), at(1))?.row.dueMs).toBeUndefined()
  })

  it('gets the same carrier and number again after a replay', () => {
    expect(decideShipment(undefined, create, at(0))).toEqual(created)
    expect(created.row.trackingNumber).toMatch(/^(SW|NO)[0-9A-F]{12}$/)
  })
})

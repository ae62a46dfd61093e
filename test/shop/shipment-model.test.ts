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
const update = (
  status: ShipmentStatus,
  more: { ifVersion?: number } = {},
  commandId: string = status,
) =>
  newCommand(
    'UpdateShipmentStatus',
    { shipmentId, orderId: 'o', status, ...more },
    { ...origin, commandId: `update:${commandId}` },
  )
const at = (nowMs: number, mode: 'automatic' | 'manual' = 'automatic'): ShipmentContext => ({
  rules: [],
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
    const shipped = decideShipment(row, update('SHIPPED'), at(1))!
    expect(shipped.row).toMatchObject({ status: 'SHIPPED', version: 2 })
    expect(decideShipment(shipped.row, update('SHIPPED'), at(2))).toBeUndefined()
    expect(() => decideShipment(undefined, update('SHIPPED'), at(1))).toThrow(/SHIPMENT_UNKNOWN/)
    expect(() => decideShipment(row, update('LOST' as ShipmentStatus), at(1))).toThrow(/status/)
  })

  it('remembers updates it followed or refused, and answers them once', () => {
    const { row } = decideShipment(undefined, create, at(0, 'manual'))!
    const refused = decideShipment(row, update('DELIVERED'), at(1))!
    expect([refused.events, refused.row.status, refused.row.version]).toEqual([[], 'CREATED', 1])
    expect(refused.refusal?.code).toBe('ILLEGAL_TRANSITION')
    expect(decideShipment(refused.row, update('DELIVERED'), at(2))).toBeUndefined()
    const shipped = decideShipment(refused.row, update('SHIPPED', { ifVersion: 1 }), at(2))!
    expect(shipped.row.seen?.map(({ refusal }) => refusal?.code)).toEqual([
      'ILLEGAL_TRANSITION',
      undefined,
    ])
    const late = decideShipment(shipped.row, update('IN_TRANSIT', { ifVersion: 1 }), at(3))!
    expect([late.refusal?.code, late.events]).toEqual(['VERSION_CHANGED', []])
    const other = update('IN_TRANSIT', {}, 'SHIPPED')
    expect(() => decideShipment(shipped.row, other, at(3))).toThrow(/COMMAND_ID_REUSED/)
    const [day, again] = [24 * 3_600_000, update('SHIPPED', {}, 'again')]
    expect(decideShipment(shipped.row, again, at(day + 5))?.row.seen).toHaveLength(1)
  })

  it('leaves the automatic carrier once it was moved by hand', () => {
    expect(decideShipment(created.row, update('SHIPPED'), at(1))?.row.dueMs).toBeUndefined()
  })

  it('gets the same carrier and number again after a replay', () => {
    expect(decideShipment(undefined, create, at(0))).toEqual(created)
    expect(created.row.trackingNumber).toMatch(/^(SW|NO)[0-9A-F]{12}$/)
  })
})

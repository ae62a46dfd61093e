import { describe, expect, it } from 'vitest'
import { cancelOrderCommand } from '../../topologies/shop/shared/customer-commands.ts'
import { newEvent } from '../../topologies/shop/shared/new-event.ts'
import { dueBound, restOf, timeKey } from '../../topologies/shop/shared/time-index.ts'
import {
  inventory,
  inventoryReplies,
  orderCommands,
  topicCatalogue,
} from '../../topologies/shop/shared/topics.ts'

const command = cancelOrderCommand(
  'o-1',
  { reason: 'no' },
  { commandId: 'c-1', source: 't', nowMs: 0 },
)

describe('the wire format', () => {
  it('brings back what was sent', () => {
    expect(orderCommands.value.decode(orderCommands.value.encode(command))).toEqual(command)
  })

  it('encodes an event once for its topic and the way back to the order', () => {
    const data = {
      productId: 'p',
      orderId: 'o',
      holdId: 'h',
      line: 0,
      quantity: 1,
      onHand: 1,
      held: 1,
    }
    const origin = {
      source: 's',
      aggregateId: 'p',
      aggregateVersion: 1,
      correlationId: 'c',
      causationId: 'c',
      nowMs: 0,
    }
    let readings = 0
    const counted = Object.defineProperty({ ...data }, 'line', {
      enumerable: true,
      get: () => (readings++, 0),
    })
    const event = newEvent('stock.reserved', counted, origin, 'x')
    const bytes = inventory.value.encode(event)
    expect(Buffer.from(inventoryReplies.value.encodeRaw!(event))).toEqual(bytes)
    expect(inventoryReplies.value.encode(event)).toEqual(bytes)
    expect(readings).toBe(1)
    expect(inventory.value.encode({ ...event, aggregateVersion: 2 })).not.toEqual(bytes)
    const plain = newEvent('stock.reserved', data, origin, 'x')
    expect(inventoryReplies.value.decode(bytes)).toEqual(plain)
  })

  it.each<[unknown, RegExp]>([
    [[], /no JSON object/],
    [null, /no JSON object/],
    [{ ...command, commandType: 'ReserveStock' }, /unknown commandType "ReserveStock" here/],
    [{ ...command, commandType: undefined }, /unknown commandType/],
    [{ ...command, commandVersion: '2.0.0' }, /unknown commandVersion "2.0.0"/],
    [{ ...command, commandVersion: '10.0.0' }, /unknown commandVersion/],
    [{ ...command, commandId: '' }, /no commandId/],
    [{ ...command, data: 'x' }, /no data object/],
    [{ ...command, metadata: {} }, /no metadata.correlationId/],
  ])('refuses %j', (value, message) => {
    const bytes = Buffer.from(JSON.stringify(value))
    expect(() => orderCommands.value.decode(bytes)).toThrow(message)
  })

  it('accepts a newer minor version', () => {
    const newer = { ...command, commandVersion: '1.7.0' }
    expect(orderCommands.value.decode(Buffer.from(JSON.stringify(newer)))).toEqual(newer)
  })

  it('creates co-partitioned topics of different names', () => {
    const names = topicCatalogue.map(({ topic }) => topic.name)
    expect(new Set(names).size).toBe(11)
    const keyed = topicCatalogue.filter(({ key }) => key !== 'customerId')
    expect(new Set(keyed.map(({ partitions }) => partitions)).size).toBe(1)
  })
})

describe('time keys', () => {
  it('sort by time, bound what is due and give back the rest', () => {
    const keys = [timeKey(9, 'b'), timeKey(10, 'a|x'), timeKey(1_700_000_000_000, '')]
    expect(keys.toSorted()).toEqual(keys)
    expect(restOf(keys[1]!)).toBe('a|x')
    expect(keys.filter((key) => key < dueBound(10.5)!)).toEqual(keys.slice(0, 2))
    expect(keys.filter((key) => key < dueBound(9)!)).toEqual(keys.slice(0, 1))
    expect(dueBound(Number.NEGATIVE_INFINITY)).toBeUndefined()
  })
})

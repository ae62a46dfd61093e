import { describe, expect, it } from 'vitest'
import {
  decideOrder,
  decideOrderDeadline,
  type OrderDecision,
} from '../../topologies/shop/orders/model.ts'
import type { OrderContext } from '../../topologies/shop/orders/order-draft.ts'
import type { OrderRow, OrderStatus } from '../../topologies/shop/orders/order-row.ts'
import {
  nextStatuses,
  orderActions,
  type OrderInput,
} from '../../topologies/shop/orders/transitions.ts'
import type { PaymentMethod } from '../../topologies/shop/shared/commands.ts'
import { shopConfig } from '../../topologies/shop/shared/config.ts'
import {
  cancelOrderCommand,
  refundOrderCommand,
  updateOrderCommand,
} from '../../topologies/shop/shared/customer-commands.ts'
import type { StockReply, StockReplyType } from '../../topologies/shop/shared/events.ts'
import {
  holdIdOf,
  paymentIdOf,
  refundIdOf,
  shipmentIdOf,
} from '../../topologies/shop/shared/ids.ts'
import { newEvent } from '../../topologies/shop/shared/new-event.ts'
import { createOrderCommand } from '../../topologies/shop/shared/order-request.ts'

const { deadlines } = shopConfig({ gateway: () => Promise.reject(new Error('unused')) })
const at = (nowMs: number, chargesMax = 1): OrderContext => ({ nowMs, deadlines, chargesMax })
const orderId = 'o-1'

const create = (method: PaymentMethod = 'card', priceMinor = 500) =>
  createOrderCommand(
    {
      customerId: 'ann',
      currency: 'EUR',
      paymentMethod: method,
      items: [
        { productId: 'tea', quantity: 2, priceMinor },
        { productId: 'cup', quantity: 1, priceMinor },
      ],
    },
    { orderId, nowMs: 0, source: 'test' },
  )

const origin = {
  source: 't',
  aggregateId: 'a',
  aggregateVersion: 1,
  correlationId: 'c',
  causationId: 'c',
  nowMs: 0,
}

const stock = (type: StockReplyType, line: number, reason?: string): StockReply =>
  newEvent(
    type,
    {
      productId: line === 0 ? 'tea' : 'cup',
      orderId,
      holdId: holdIdOf(orderId, line),
      line,
      quantity: 2 - line,
      onHand: 9,
      held: 1,
      ...(reason !== undefined && { reason }),
    },
    origin,
    `${type}:${line}`,
  )

const paid = (capturedMinor: number, charge = 1): OrderInput =>
  newEvent(
    'payment.processed',
    {
      paymentId: paymentIdOf(orderId, charge),
      orderId,
      amountMinor: 1500,
      capturedMinor,
      status: capturedMinor > 0 ? 'COMPLETED' : 'FAILED',
      currency: 'EUR',
      method: 'card',
    },
    origin,
    'p',
  )

const unknown: OrderInput = newEvent(
  'payment.unknown',
  {
    paymentId: paymentIdOf(orderId, 1),
    orderId,
    amountMinor: 1500,
    currency: 'EUR',
    method: 'card',
    error: 'no answer',
  },
  origin,
  'u',
)

const refunded = (amountMinor: number, number = 1, failure?: { reason: string; left: number }) =>
  newEvent(
    'payment.refunded',
    {
      refundId: refundIdOf(paymentIdOf(orderId, 1), number),
      paymentId: paymentIdOf(orderId, 1),
      orderId,
      amountMinor,
      currency: 'EUR',
      status: failure ? ('FAILED' as const) : ('COMPLETED' as const),
      reason: failure?.reason ?? 'why',
      refundableMinor: failure?.left ?? 0,
    },
    origin,
    'r',
  )

const shipped: OrderInput = newEvent(
  'shipment.created',
  {
    shipmentId: shipmentIdOf(orderId),
    orderId,
    carrier: 'x',
    trackingNumber: 'y',
    estimatedDelivery: '2026-01-01T00:00:00.000Z',
  },
  origin,
  's',
)

const delivered: OrderInput = newEvent(
  'shipment.status-updated',
  {
    shipmentId: shipmentIdOf(orderId),
    orderId,
    status: 'DELIVERED',
    carrier: 'x',
  },
  { ...origin, aggregateVersion: 3 },
  'd',
)

const heldBoth = [stock('stock.reserved', 0), stock('stock.reserved', 1)]
const deductedBoth = [stock('stock.deducted', 0), stock('stock.deducted', 1)]
const releasedBoth = [stock('stock.released', 0), stock('stock.released', 1)]
const cancelled = cancelOrderCommand(
  orderId,
  { reason: 'mind changed' },
  {
    commandId: 'x1',
    source: 't',
    nowMs: 0,
  },
)

const play = (inputs: readonly OrderInput[], context = at(0)) => {
  let row: OrderRow | undefined
  const sent: string[] = []
  for (const input of inputs) {
    const decision = decideOrder(row, input, context)
    if (decision === undefined) sent.push('dropped')
    else {
      sent.push(...messagesOf(decision))
      row = decision.row
    }
  }
  return { row: row!, sent }
}

const messagesOf = ({ emissions }: OrderDecision): readonly string[] =>
  emissions.map(({ message }) =>
    'commandType' in message ? message.commandType : message.eventType,
  )

describe('the way of an order', () => {
  it('sends each step once, lines in the order of their products', () => {
    const { row, sent } = play([
      create(),
      ...heldBoth,
      paid(1500),
      ...deductedBoth,
      shipped,
      delivered,
    ])
    expect(row.status).toBe('completed')
    expect(sent).toEqual([
      'order.created',
      'workflow.started',
      'ReserveStock',
      'ReserveStock',
      'ProcessPayment',
      'DeductStock',
      'DeductStock',
      'order.confirmed',
      'CreateShipment',
      'order.completed',
      'saga.completed',
    ])
    const decision = decideOrder(undefined, create(), at(0))!
    const products = decision.emissions.flatMap(({ kind, message }) =>
      kind === 'inventoryCommand' ? [message.data.productId] : [],
    )
    expect(products).toEqual(['cup', 'tea'])
  })

  it('needs no charge when nothing is due', () => {
    const { row, sent } = play([create('card', 0), ...heldBoth])
    expect(row.status).toBe('deducting')
    expect(sent).not.toContain('ProcessPayment')
  })

  it('waits for the customer when the method is transfer', () => {
    const { row, sent } = play([create('transfer'), ...heldBoth])
    expect([row.status, row.charges]).toEqual(['paying', []])
    expect(sent).not.toContain('ProcessPayment')
  })

  it.each<[string, readonly OrderInput[], string, string]>([
    [
      'out of stock',
      [create(), stock('reservation.failed', 0), stock('stock.released', 1)],
      'rejected',
      'out-of-stock',
    ],
    [
      'declined',
      [create(), ...heldBoth, paid(0), ...releasedBoth],
      'cancelled',
      'payment-declined',
    ],
    [
      'short',
      [create(), ...heldBoth, paid(700), ...releasedBoth, refunded(700)],
      'cancelled',
      'short-payment',
    ],
    [
      'cancelled while paying',
      [create(), ...heldBoth, cancelled, ...releasedBoth, paid(1500), refunded(1500)],
      'cancelled',
      'mind changed',
    ],
    [
      'cancelled in review',
      [create(), ...heldBoth, unknown, cancelled, paid(1500), ...releasedBoth, refunded(1500)],
      'cancelled',
      'mind changed',
    ],
    [
      'lost its stock',
      [
        create(),
        ...heldBoth,
        paid(1500),
        stock('stock.deducted', 0),
        stock('deduct.failed', 1),
        stock('stock.released', 0),
        refunded(1500),
      ],
      'cancelled',
      'stock-lost',
    ],
    [
      'lost a hold while waiting',
      [create('transfer'), ...heldBoth, stock('hold.expired', 0), stock('stock.released', 1)],
      'expired',
      'hold-expired',
    ],
    [
      'was broken while waiting',
      [
        create('transfer'),
        ...heldBoth,
        stock('hold.expired', 0, 'broken'),
        stock('stock.released', 1),
      ],
      'cancelled',
      'stock-withdrawn',
    ],
  ])('that was %s ends once, after everything is back', (_what, inputs, status, reason) => {
    expect(play(inputs).row).toMatchObject({ status, reason })
    for (let missing = 3; missing < inputs.length; missing++) {
      const { row } = play(inputs.slice(0, missing))
      expect(nextStatuses[row.status], `before input ${missing}`).not.toEqual([])
    }
    const { sent } = play(inputs)
    expect(sent.filter((type) => type === `order.${status}`)).toHaveLength(1)
    expect(sent.filter((type) => type === 'saga.compensated')).toHaveLength(1)
  })

  it('ignores a hold that expires while the charge is in flight, and deducts all the same', () => {
    const { row, sent } = play([create(), ...heldBoth, stock('hold.expired', 0), paid(1500)])
    expect(row.status).toBe('deducting')
    expect(sent.filter((type) => type === 'DeductStock')).toHaveLength(2)
  })

  it('never releases in review, and goes on when the outcome is known', () => {
    const inReview = play([create(), ...heldBoth, unknown, stock('hold.expired', 0), cancelled])
    expect(inReview.row.status).toBe('review')
    expect(inReview.sent).not.toContain('ReleaseStock')
    const known = play([create(), ...heldBoth, unknown, paid(1500)])
    expect(known.row.status).toBe('deducting')
  })

  it('charges again under a new number after a decline, as often as it may', () => {
    const inputs = [create(), ...heldBoth, paid(0)]
    const { row, sent } = play(inputs, at(0, 2))
    expect(row.charges.map(({ state, paymentId }) => [state, paymentId])).toEqual([
      ['declined', paymentIdOf(orderId, 1)],
      ['asked', paymentIdOf(orderId, 2)],
    ])
    expect(sent.filter((type) => type === 'ProcessPayment')).toHaveLength(2)
    expect(play([...inputs, paid(0, 2)], at(0, 2)).row.status).toBe('closing')
  })

  it('gives back what comes too late: money and stock', () => {
    const rejected = [create(), stock('reservation.failed', 0), stock('stock.released', 1)]
    const money = play([...rejected, paid(1500)])
    expect([money.row.status, money.sent.at(-1)]).toEqual(['rejected', 'RefundPayment'])
    expect(play([...rejected, stock('stock.reserved', 1)]).sent.at(-1)).toBe('ReleaseStock')
  })

  it('asks for the rest when a refund was more than is left', () => {
    const inputs = [
      create(),
      ...heldBoth,
      paid(700),
      ...releasedBoth,
      refunded(700, 1, { reason: 'exceeds-captured', left: 500 }),
    ]
    const { row, sent } = play(inputs)
    expect(sent.filter((type) => type === 'RefundPayment')).toHaveLength(2)
    expect(row.charges[0]?.refunds?.map(({ amountMinor }) => amountMinor)).toEqual([700, 500])
    const refused = play([...inputs.slice(0, -1), refunded(700, 1, { reason: 'no', left: 700 })])
    expect([refused.row.status, refused.row.alarms]).toEqual(['closing', 1])
  })

  it('takes a cancel after the deduction for a return', () => {
    const done = [create(), ...heldBoth, paid(1500), ...deductedBoth, shipped, delivered]
    const { row, sent } = play([...done, cancelled, ...releasedBoth, refunded(1500)])
    expect([row.status, row.returnState]).toEqual(['completed', 'done'])
    expect(sent.slice(-5)).toEqual([
      'order.updated',
      'ReleaseStock',
      'ReleaseStock',
      'RefundPayment',
      'order.updated',
    ])
    const before = play([...done.slice(0, -1), cancelled, delivered])
    expect(before.row).toMatchObject({ status: 'completed', returnState: 'started' })
  })

  it('refunds on purpose no more than it keeps', () => {
    const done = [create(), ...heldBoth, paid(1500), ...deductedBoth]
    const refund = (amountMinor: number, commandId: string) =>
      refundOrderCommand(
        { orderId, amountMinor, reason: 'sorry' },
        { commandId, source: 't', nowMs: 0 },
      )
    const { row, sent } = play([...done, refund(1000, 'r1'), refund(1000, 'r1')])
    expect([row.waivedMinor, sent.slice(-2)]).toEqual([1000, ['RefundPayment', 'dropped']])
    expect(() => play([...done, refund(1000, 'r1'), refund(501, 'r2')])).toThrow(/REFUND_TOO_LARGE/)
    expect(() => play([...done, refund(1000, 'r1'), refund(1, 'r1')])).toThrow(/COMMAND_ID_REUSED/)
  })

  it('refuses an update of another version, and stays of its own', () => {
    const update = (ifVersion: number, commandId: string) =>
      updateOrderCommand(
        { orderId, notes: commandId, ifVersion },
        { commandId, source: 't', nowMs: 0 },
      )
    const { row, sent } = play([create(), update(1, 'u1'), update(1, 'u2'), update(1, 'u2')])
    expect([row.version, row.notes, sent.slice(-3)]).toEqual([
      2,
      'u1',
      ['order.updated', 'order.update-refused', 'dropped'],
    ])
    expect(row.seen?.map(({ refusal }) => refusal)).toEqual([
      undefined,
      { code: 'VERSION_CHANGED', reason: 'order o-1 is of version 2, not 1' },
    ])
    expect(play([create(), update(1, 'u1'), update(2, 'u3')]).row.notes).toBe('u3')
  })

  it('refuses a cancellation of another version, and tells one without effect as seen', () => {
    const cancelIf = (ifVersion: number, commandId: string) =>
      cancelOrderCommand(
        orderId,
        { reason: 'mind changed', ifVersion },
        { commandId, source: 't', nowMs: 0 },
      )
    const late = play([create(), cancelIf(7, 'x7'), cancelIf(7, 'x7')])
    expect([late.row.status, late.row.version, late.sent.slice(-2)]).toEqual([
      'reserving',
      1,
      ['order.update-refused', 'dropped'],
    ])
    const raced = play([create(), cancelIf(1, 'x1'), cancelIf(1, 'x2')])
    expect([raced.row.status, raced.sent.at(-1)]).toEqual(['closing', 'order.update-refused'])
    expect(raced.row.seen?.map(({ commandId, refusal }) => [commandId, refusal?.code])).toEqual([
      ['x1', undefined],
      ['x2', 'VERSION_CHANGED'],
    ])
    const { version } = raced.row
    const again = play([create(), cancelIf(1, 'x1'), cancelIf(version, 'x3')])
    expect([again.row.version, again.row.seen?.at(-1)?.commandId]).toEqual([version, 'x3'])
    expect(again.row.seen?.at(-1)).not.toHaveProperty('refusal')
  })

  it('updates address and notes until it is shipped, once per command', () => {
    const update = (notes: string, commandId: string) =>
      updateOrderCommand({ orderId, notes }, { commandId, source: 't', nowMs: 0 })
    const { row, sent } = play([create(), update('a', 'u1'), update('b', 'u2'), update('a', 'u1')])
    expect([row.notes, sent.slice(-3)]).toEqual([
      'b',
      ['order.updated', 'order.updated', 'dropped'],
    ])
    const confirmed = [create(), ...heldBoth, paid(1500), ...deductedBoth]
    const late = play([...confirmed, update('c', 'u3')])
    expect([late.row.notes, late.sent.at(-1)]).toEqual([undefined, 'dropped'])
  })
})

describe('repetitions and nonsense', () => {
  it('drops every input that comes twice', () => {
    const inputs = [create(), ...heldBoth, paid(1500), ...deductedBoth, shipped, delivered]
    const twice = inputs.flatMap((input) => [input, input])
    expect(play(twice).row).toEqual(play(inputs).row)
    expect(play(twice).sent.filter((type) => type === 'dropped')).toHaveLength(inputs.length)
  })

  it('tells once per body that another order has the id, and changes nothing else', () => {
    const other = create('transfer')
    const { row, sent } = play([create(), other, other, ...heldBoth, other])
    expect(sent.filter((type) => /refused|dropped/.test(type))).toEqual([
      'order.create-refused',
      'dropped',
      'dropped',
    ])
    const { seen: _seen, version: _version, ...rest } = row
    expect(play([create(), ...heldBoth]).row).toMatchObject(rest)
    const done = play([create(), ...heldBoth, paid(1500), ...deductedBoth, shipped, delivered])
    const after = play([
      create(),
      ...heldBoth,
      paid(1500),
      ...deductedBoth,
      shipped,
      delivered,
      other,
    ])
    expect([after.row.status, after.sent.at(-1)]).toEqual([done.row.status, 'order.create-refused'])
  })

  it('refuses what it cannot know or take', () => {
    expect(() => play([cancelled])).toThrow(/ORDER_UNKNOWN/)
    expect(() => play([create(), delivered])).toThrow(/ILLEGAL_TRANSITION/)
    const stranger = stock('stock.reserved', 0)
    const wrong = { ...stranger, data: { ...stranger.data, line: 7 } }
    expect(() => play([create(), wrong])).toThrow(/no line 7/)
  })

  it.each([
    [{ items: [] }, /1 to 500 items/],
    [{ items: [{ productId: '', quantity: 1, priceMinor: 1 }] }, /items.productId/],
    [{ items: [{ productId: 'p', quantity: -1, priceMinor: 1 }] }, /items.quantity/],
    [{ items: [{ productId: 'p', quantity: 1, priceMinor: 0.5 }] }, /items.priceMinor/],
    [{ items: [{ productId: 'p', quantity: 1_000_001, priceMinor: 0 }] }, /items.quantity/],
    [{ items: [{ productId: 'p', quantity: 1_000_000, priceMinor: 1_000_001 }] }, /the total/],
    [{ customerId: 'a\ud800' }, /customerId is no Unicode/],
    [{ currency: 'euro' }, /no currency code/],
    [{ paymentMethod: 'cash' }, /paymentMethod/],
    [{ customerId: 7 }, /customerId/],
    [{ placedAt: 'noon' }, /placedAt/],
  ])('refuses CreateOrder with %j', (change, message) => {
    const command = create()
    const bad = { ...command, data: { ...command.data, ...change } } as typeof command
    expect(() => decideOrder(undefined, bad, at(0))).toThrow(message)
  })

  it('leaves the row it was given alone', () => {
    const { row } = play([create(), ...heldBoth])
    const copy = structuredClone(row)
    decideOrder(row, paid(1500), at(5))
    expect(row).toEqual(copy)
  })

  it('makes the same messages again for the same row and input', () => {
    const { row } = play([create(), ...heldBoth])
    expect(decideOrder(row, paid(1500), at(5))).toEqual(decideOrder(row, paid(1500), at(5)))
  })

  it('has an action for money in every status', () => {
    for (const status of Object.keys(orderActions) as OrderStatus[]) {
      const actions = orderActions[status]
      expect([
        actions['payment.processed'],
        actions['payment.unknown'],
        actions['payment.refunded'],
      ]).toEqual(['paymentProcessed', 'paymentUnknown', 'paymentRefunded'])
    }
  })
})

describe('deadlines', () => {
  it('end a wait for the customer, and nothing else', () => {
    const waiting = play([create('transfer'), ...heldBoth]).row
    const dueMs = deadlines.paymentMs
    expect(decideOrderDeadline(waiting, dueMs, at(dueMs))?.row).toMatchObject({
      status: 'closing',
      outcome: 'expired',
      reason: 'payment-deadline',
    })
    for (const inputs of [
      [create()],
      [create(), ...heldBoth],
      [create(), ...heldBoth, unknown],
      [create(), ...heldBoth, paid(1500)],
      [create(), ...heldBoth, cancelled],
    ]) {
      const { row } = play(inputs)
      const later = decideOrderDeadline(row, dueMs, at(dueMs))!
      expect(later.row).toMatchObject({ status: row.status, alarms: 1 })
      expect(later.row.deadlineMs).toBeGreaterThan(dueMs)
      expect(later.emissions).toEqual([])
    }
  })

  it('do not fire before everything up to them was seen', () => {
    const waiting = play([create('transfer'), ...heldBoth]).row
    const caughtUpToMs = deadlines.paymentMs - 1
    const decision = decideOrderDeadline(waiting, caughtUpToMs, at(deadlines.paymentMs + 9))!
    expect(decision.row).toMatchObject({ status: 'paying', version: waiting.version })
    expect(decision.index).toEqual({ putMs: deadlines.paymentMs })
  })

  it('keep one index row per open order, and none of an ended one', () => {
    const index = new Set<number>()
    const inputs = [create(), ...heldBoth, unknown, paid(1500), ...deductedBoth, shipped, delivered]
    let row: OrderRow | undefined
    inputs.forEach((input, step) => {
      const decision = decideOrder(row, input, at(step * 100_000))!
      row = decision.row
      if (decision.index.deleteMs !== undefined) {
        expect(index.delete(decision.index.deleteMs)).toBe(true)
      }
      if (decision.index.putMs !== undefined) index.add(decision.index.putMs)
      expect([...index]).toEqual(row.indexedDeadlineMs === undefined ? [] : [row.indexedDeadlineMs])
      if (row.deadlineMs !== undefined) {
        expect(row.indexedDeadlineMs).toBeLessThanOrEqual(row.deadlineMs)
      }
    })
    expect([row!.status, index.size]).toEqual(['completed', 0])
  })
})

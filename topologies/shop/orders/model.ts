/**
 * The decider of orders: pure functions from a row and an input to the next row and messages.
 *
 * Called by `topology.ts` with the row of the store, and by tests without any store. 1. Equal
 * arguments, equal decision. 2. `undefined` means nothing changes: a repetition. 3. What it cannot
 * accept it throws as a ShopError, for the dead letters. 4. The caller writes row, index and
 * messages together, or none.
 */

import { bodyHash } from '../shared/body-hash.ts'
import type { CancelOrder, CreateOrder, OrderCommand, UpdateOrder } from '../shared/commands.ts'
import { aheadByMs } from '../shared/due-rows.ts'
import { isRepeated, withSeen } from '../shared/seen-commands.ts'
import { newEvent } from '../shared/new-event.ts'
import { ShopError } from '../shared/shop-error.ts'
import { cancel, cancelAfterReview, cancelUnshipped, refund, update } from './command-steps.ts'
import { createOrder } from './create-order.ts'
import { returnGoods, shipmentCreated, shipmentMoved } from './delivery-steps.ts'
import { paymentProcessed, paymentRefunded, paymentUnknown } from './money-steps.ts'
import { type OrderContext, OrderDraft, type OrderEmission, orderSource } from './order-draft.ts'
import { hasChargeInFlight, isFinal, type OrderRow } from './order-row.ts'
import {
  lateHold,
  lineBackordered,
  lineCancelled,
  lineDeducted,
  lineExpired,
  lineFilled,
  lineHeld,
  lineLost,
  lineRefused,
  lineReleased,
  lineReturned,
  lineWaitedTooLong,
} from './stock-steps.ts'
import { type OrderAction, orderActions, type OrderInput } from './transitions.ts'
import { beginWindDown } from './wind-down.ts'

export interface OrderDecision {
  readonly row: OrderRow
  readonly emissions: readonly OrderEmission[]
  /** The one row of the order in the deadline index: where to delete it and where to put it. */
  readonly index: { readonly deleteMs?: number; readonly putMs?: number }
}

type Step = (draft: OrderDraft, input: never) => boolean

const steps: Readonly<Record<Exclude<OrderAction, 'drop' | 'createAgain'>, Step>> = {
  update,
  cancel,
  cancelAfterReview,
  cancelUnshipped,
  returnGoods,
  refund,
  lineHeld,
  lineBackordered,
  lineFilled,
  lineWaitedTooLong,
  lineCancelled,
  lineRefused,
  lineDeducted,
  lineLost,
  lineReleased,
  lineReturned,
  lineExpired,
  lateHold,
  paymentProcessed,
  paymentUnknown,
  paymentRefunded,
  shipmentCreated,
  shipmentMoved,
}

/**
 * @param row  of the order named in the input; `undefined` if there is none
 * @returns    `undefined` for a repetition, to be dropped and counted
 * @throws {ShopError} dead letter; nothing changes
 */
export const decideOrder = (
  row: OrderRow | undefined,
  input: OrderInput,
  context: OrderContext,
): OrderDecision | undefined => {
  if (row === undefined) return decideFirst(input, context)
  const type = 'commandType' in input ? input.commandType : input.eventType
  const action = orderActions[row.status][type]
  if (action === undefined) {
    throw new ShopError('ILLEGAL_TRANSITION', `${type} while order ${row.orderId} is ${row.status}`)
  }
  if (action === 'createAgain') return createAgain(row, input as CreateOrder, context)
  if ('commandType' in input && isRepeated(row.seen, input, `order ${row.orderId}`))
    return undefined
  if (action === 'drop' && !isAwaitedCancel(input)) return undefined
  if (isOutdated(row, input)) return refuseChange(row, input, context)
  const draft = new OrderDraft(row, idOf(input), context)
  if (action === 'drop' || !steps[action](draft, input as never)) {
    return isAwaitedCancel(input) ? noted(row, input, context) : undefined
  }
  if ('commandType' in input) remember(draft, input)
  return decisionOf(draft)
}

/**
 * The deadline index fired for this order.
 *
 * A wait for the customer's money ends the order; a wait for an answer that may be in our own
 * queues only raises an alarm and goes on.
 *
 * @param waiting  its index row was due and is deleted by the caller
 * @param dueMs  deadlines up to here have passed: the wall clock, but not beyond the time up to
 *               which all inputs were seen
 */
export const decideOrderDeadline = (
  waiting: OrderRow,
  dueMs: number,
  context: OrderContext,
): OrderDecision | undefined => {
  const row = waitingAnew(waiting, context.nowMs) ?? waiting
  if (isFinal(row) || row.deadlineMs === undefined) return undefined
  if (row.deadlineMs > dueMs) {
    const { deadlineMs } = row
    return {
      row: { ...row, indexedDeadlineMs: deadlineMs },
      emissions: [],
      index: { putMs: deadlineMs },
    }
  }
  const { indexedDeadlineMs: _fired, ...unindexed } = row
  const draft = new OrderDraft(unindexed, `${row.orderId}:deadline`, context)
  if (row.status === 'paying' && !hasChargeInFlight(row)) {
    beginWindDown(draft, { outcome: 'expired', reason: 'payment-deadline' })
  } else {
    draft.raiseAlarm()
  }
  return decisionOf(draft)
}

/**
 * The clock was set back: a deadline set before starts anew, instead of coming late by the step.
 *
 * @returns `undefined` if the row stays as it is
 */
export const decideClockSetBack = (row: OrderRow, nowMs: number): OrderDecision | undefined => {
  const anew = waitingAnew(row, nowMs)
  if (anew?.deadlineMs === undefined || row.indexedDeadlineMs === undefined) return undefined
  const putMs = Math.min(anew.deadlineMs, row.indexedDeadlineMs)
  return {
    row: { ...anew, indexedDeadlineMs: putMs },
    emissions: [],
    index: putMs === row.indexedDeadlineMs ? {} : { deleteMs: row.indexedDeadlineMs, putMs },
  }
}

const waitingAnew = (row: OrderRow, nowMs: number): OrderRow | undefined => {
  const byMs = aheadByMs(row.deadlineSetMs, nowMs)
  if (byMs === 0 || row.deadlineMs === undefined) return undefined
  return { ...row, deadlineMs: row.deadlineMs - byMs, deadlineSetMs: nowMs }
}

const decideFirst = (input: OrderInput, context: OrderContext): OrderDecision => {
  if ('commandType' in input && input.commandType === 'CreateOrder') {
    return decisionOf(createOrder(input, bodyHash(input.data), context))
  }
  const type = 'commandType' in input ? input.commandType : input.eventType
  throw new ShopError('ORDER_UNKNOWN', `${type} for order ${input.data.orderId}, never created`)
}

const decisionOf = ({ row, emissions }: OrderDraft): OrderDecision => {
  if (isFinal(row)) {
    const { deadlineMs: _deadlineMs, deadlineSetMs: _setMs, indexedDeadlineMs, ...final } = row
    const index = indexedDeadlineMs === undefined ? {} : { deleteMs: indexedDeadlineMs }
    return { row: final, emissions, index }
  }
  const { deadlineMs, indexedDeadlineMs } = row
  if (deadlineMs === undefined) throw new Error(`order ${row.orderId} waits without a deadline`)
  if (indexedDeadlineMs !== undefined && indexedDeadlineMs <= deadlineMs) {
    return { row, emissions, index: {} }
  }
  row.indexedDeadlineMs = deadlineMs
  const index = {
    putMs: deadlineMs,
    ...(indexedDeadlineMs !== undefined && { deleteMs: indexedDeadlineMs }),
  }
  return { row, emissions, index }
}

/** Another order under an id in use changes nothing but the story: its sender sees it refused. */
const createAgain = (
  row: OrderRow,
  command: CreateOrder,
  context: OrderContext,
): OrderDecision | undefined => {
  const hash = bodyHash(command.data)
  const isKnown = hash === row.createHash || row.seen?.some((each) => each.hash === hash)
  if (isKnown === true) return undefined
  const draft = new OrderDraft(row, command.commandId, context)
  draft.orderEvent('order.create-refused', {
    orderId: row.orderId,
    code: 'ORDER_ID_REUSED',
    reason: `another order has the id ${row.orderId}, and stands`,
    customerId: command.data.customerId,
  })
  remember(draft, command)
  return decisionOf(draft)
}

/** Its sender named a version and waits to be told, also that there was nothing to cancel. */
const isAwaitedCancel = (input: OrderInput): input is CancelOrder =>
  'commandType' in input
  && input.commandType === 'CancelOrder'
  && input.data.ifVersion !== undefined

const isOutdated = (row: OrderRow, input: OrderInput): input is UpdateOrder | CancelOrder => {
  if (!('commandType' in input)) return false
  const { commandType, data } = input
  if (commandType !== 'UpdateOrder' && commandType !== 'CancelOrder') return false
  return data.ifVersion !== undefined && data.ifVersion !== row.version
}

/** Followed, without any effect: only that it was seen is kept. */
const noted = (row: OrderRow, command: OrderCommand, { nowMs }: OrderContext): OrderDecision => ({
  row: { ...row, seen: withSeen(row.seen, command, { nowMs }) },
  emissions: [],
  index: {},
})

/**
 * Of two changes of one version the second is refused. The version stays: a refusal that raised it
 * would have those refused next whose version is current.
 */
const refuseChange = (
  row: OrderRow,
  command: UpdateOrder | CancelOrder,
  { nowMs }: OrderContext,
): OrderDecision => {
  const { orderId, version, correlationId } = row
  const { commandId, data } = command
  const reason = `order ${orderId} is of version ${version}, not ${data.ifVersion}`
  const refusal = { code: 'VERSION_CHANGED', reason } as const
  const message = newEvent(
    'order.update-refused',
    { orderId, ...refusal },
    {
      source: orderSource,
      aggregateId: orderId,
      aggregateVersion: version,
      correlationId,
      causationId: commandId,
      nowMs,
    },
    `order.update-refused:${commandId}`,
  )
  const seen = withSeen(row.seen, command, { nowMs, refusal })
  return { row: { ...row, seen }, emissions: [{ kind: 'orderEvent', message }], index: {} }
}

const remember = ({ row, context: { nowMs } }: OrderDraft, command: OrderCommand): void => {
  row.seen = withSeen(row.seen, command, { nowMs })
}

const idOf = (input: OrderInput): string =>
  'commandType' in input ? input.commandId : input.eventId

/**
 * The inventory's decisions about holds: pure functions from rows and a command to rows and events.
 *
 * Called by `topology.ts` with rows of the stores, and by tests without any. 1. Equal arguments,
 * equal decision. 2. onHand never falls below held. 3. Every ReleaseStock is answered; every other
 * command is answered, or dropped as a repetition. 4. A commanded deduction never fails for want
 * of a live hold while the stock is there. 5. What comes free goes to the lines that wait for it
 * before anyone else: `waiting-lines.ts`, asked after each decision.
 */

import { checkCount, checkId } from '../shared/checks.ts'
import type { HoldCommand } from '../shared/commands.ts'
import type { InventoryConfig } from '../shared/config.ts'
import type { StockNotice, StockReply, StockReplyType } from '../shared/events.ts'
import { aheadByMs } from '../shared/due-rows.ts'
import { newEvent } from '../shared/new-event.ts'
import { ShopError } from '../shared/shop-error.ts'
import {
  availableOf,
  emptyProduct,
  type HoldRow,
  type HoldState,
  type ProductRow,
} from './stock-row.ts'
import { answerOf, type HoldAction, holdActions } from './transitions.ts'

export type StockEmission = StockAnswer & {
  /** No row changes, so the same may be said again: to an order, but not to audit and analytics. */
  readonly isRepeat?: true
}

type StockAnswer =
  /** Goes to the inventory's topic and back to the order. */
  | { readonly kind: 'reply'; readonly event: StockReply }
  | { readonly kind: 'notice'; readonly event: StockNotice }

export interface StockContext extends InventoryConfig {
  readonly nowMs: number
}

export interface HoldDecision {
  readonly product: ProductRow
  /** `undefined`: a closed hold whose time is over, to be deleted. */
  readonly hold: HoldRow | undefined
  readonly emissions: readonly StockEmission[]
}

export const inventorySource = 'inventory'

/** Why a line that waited is refused. */
export const waitOver = 'backorder-expired'

/**
 * @returns  `undefined` for a repetition, to be dropped and counted
 * @throws {ShopError} BAD_COMMAND, COMMAND_ID_REUSED: dead letter; nothing changes
 */
export const decideHold = (
  product: ProductRow | undefined,
  hold: HoldRow | undefined,
  command: HoldCommand,
  context: StockContext,
): HoldDecision | undefined => {
  checkHold(hold, command)
  const { commandType, data } = command
  const stock = product ?? emptyProduct(data.productId)
  const action = actionOf(hold, command)
  if (action === 'drop') return undefined
  const isEnough = availableOf(stock) >= data.quantity
  const change = changeOf(action, data.quantity, {
    isEnough: isEnough && (action !== 'hold' || stock.waiting === undefined),
    mayWait: waitMsOf(command) !== undefined,
  })
  if (change === undefined) return repeated(stock, hold, { action, command }, context)
  const { state, reply, reason } = change
  const moved = moveStock({ ...stock, version: stock.version + 1 }, change)
  const next = nextHold(hold, command, { state, version: moved.version }, context)
  const cause = { causationId: command.commandId, correlationId: command.metadata.correlationId }
  const emissions: StockEmission[] = [
    replyOf(
      reply,
      { product: moved, hold: next, ...cause, ...(reason !== undefined && { reason }) },
      context,
    ),
  ]
  if (commandType === 'ReleaseStock') return { product: moved, hold: next, emissions }
  return { ...withLowStock(moved, emissions, command.commandId, context), hold: next }
}

/**
 * The expiry index fired for this hold: a live one expires, a closed one is forgotten.
 *
 * @param hold     its index row was due and is deleted by the caller
 * @param untilMs  what is due up to here has passed: the wall clock, but not beyond the time up to
 *                 which all inputs were seen, so no DeductStock for the hold can be waiting
 */
export const decideHoldDue = (
  { product, hold: due }: { readonly product: ProductRow; readonly hold: HoldRow },
  untilMs: number,
  context: StockContext,
): HoldDecision => {
  const hold = heldAnew(due, context.nowMs) ?? due
  if (hold.dueMs > untilMs) {
    return { product, hold: { ...hold, indexedMs: hold.dueMs }, emissions: [] }
  }
  if (hold.state === 'waiting') return endWait(product, hold, context)
  if (hold.state !== 'held') return { product, hold: undefined, emissions: [] }
  return expireHold(product, { hold, reason: 'expired', causationId: hold.holdId }, context)
}

/**
 * The clock was set back: a live hold begins anew, instead of running out late by the step.
 *
 * What is only remembered may be remembered longer. @returns `undefined` if it stays as it is
 */
export const heldAnew = (hold: HoldRow, nowMs: number): HoldRow | undefined => {
  const byMs = aheadByMs(hold.heldAtMs, nowMs)
  if (byMs === 0) return undefined
  const dueMs = hold.dueMs - byMs
  return { ...hold, dueMs, indexedMs: Math.min(hold.indexedMs, dueMs), heldAtMs: nowMs }
}

/** Ends a live hold from our side: it ran out, or its stock was taken away (`broken`). */
export const expireHold = (
  product: ProductRow,
  cause: { hold: HoldRow; reason: 'expired' | 'broken'; causationId: string },
  context: StockContext,
): HoldDecision & { readonly hold: HoldRow } => {
  const { hold, reason, causationId } = cause
  const version = product.version + 1
  const moved = { ...product, version, held: product.held - hold.quantity }
  const dueMs = context.nowMs + context.memoryMs
  // Its index row is gone if the time came, and lies before the new one if the hold was broken.
  const indexedMs = reason === 'expired' ? dueMs : Math.min(hold.indexedMs, dueMs)
  const { heldAtMs: _heldAtMs, ...ended } = hold
  const next: HoldRow = { ...ended, state: 'expired', version, dueMs, indexedMs }
  const correlationId = hold.orderId
  const about = { product: moved, hold: next, reason, causationId, correlationId }
  return {
    product: moved,
    hold: next,
    emissions: [replyOf('hold.expired', about, context)],
  }
}

/** Nothing came in time: the line is refused after all. */
const endWait = (product: ProductRow, hold: HoldRow, context: StockContext): HoldDecision => {
  const version = product.version + 1
  const moved = { ...product, version }
  const dueMs = context.nowMs + context.memoryMs
  const { heldAtMs: _heldAtMs, aheadId: _aheadId, behindId: _behindId, ...ended } = hold
  const next: HoldRow = { ...ended, state: 'refused', version, dueMs, indexedMs: dueMs }
  const about = {
    product: moved,
    hold: next,
    reason: waitOver,
    causationId: hold.holdId,
    correlationId: hold.orderId,
  }
  return {
    product: moved,
    hold: next,
    emissions: [replyOf('reservation.failed', about, context)],
  }
}

interface StockChange {
  readonly state: HoldState
  readonly reply: StockReplyType
  readonly heldBy: number
  readonly deductedBy: number
  readonly returnedBy: number
  readonly reason?: string
}

const still = { heldBy: 0, deductedBy: 0, returnedBy: 0 }

/** `undefined` for the actions that change nothing. */
const changeOf = (
  action: HoldAction,
  quantity: number,
  { isEnough, mayWait }: { readonly isEnough: boolean; readonly mayWait: boolean },
): StockChange | undefined => {
  switch (action) {
    case 'hold':
      if (isEnough) return { ...still, state: 'held', reply: 'stock.reserved', heldBy: quantity }
      return mayWait
        ? { ...still, state: 'waiting', reply: 'stock.backordered' }
        : { ...still, state: 'refused', reply: 'reservation.failed', reason: 'out-of-stock' }
    case 'deductHeld':
      return {
        ...still,
        state: 'deducted',
        reply: 'stock.deducted',
        heldBy: -quantity,
        deductedBy: quantity,
      }
    case 'deductFree':
      return isEnough
        ? { ...still, state: 'deducted', reply: 'stock.deducted', deductedBy: quantity }
        : { ...still, state: 'refused', reply: 'deduct.failed', reason: 'out-of-stock' }
    case 'releaseHeld':
      return { ...still, state: 'released', reply: 'stock.released', heldBy: -quantity }
    case 'close':
      return { ...still, state: 'released', reply: 'stock.released' }
    case 'giveBack':
      return { ...still, state: 'returned', reply: 'stock.released', returnedBy: quantity }
    default:
      return undefined
  }
}

const moveStock = (
  product: ProductRow,
  { heldBy, deductedBy, returnedBy }: StockChange,
): ProductRow => ({
  ...product,
  onHand: product.onHand - deductedBy + returnedBy,
  held: product.held + heldBy,
  deductedTotal: product.deductedTotal + deductedBy,
  returnedTotal: product.returnedTotal + returnedBy,
})

/** Only a compensation or a return takes back what was deducted. */
const actionOf = (hold: HoldRow | undefined, command: HoldCommand): HoldAction => {
  const action = holdActions[hold?.state ?? 'none'][command.commandType]
  if (action !== 'giveBack' || command.commandType !== 'ReleaseStock') return action
  const { reason } = command.data
  return reason === 'compensation' || reason === 'return' ? 'giveBack' : 'drop'
}

/** Answers without a change: again, or that the hold is closed. */
const repeated = (
  product: ProductRow,
  hold: HoldRow | undefined,
  { action, command }: { readonly action: HoldAction; readonly command: HoldCommand },
  context: StockContext,
): HoldDecision | undefined => {
  if (hold === undefined) return undefined
  const reply =
    action === 'refuseClosed'
      ? 'reservation.failed'
      : action === 'failClosed'
        ? 'deduct.failed'
        : answerOf[hold.state]
  if (reply === undefined) return undefined
  const isClosed = action === 'refuseClosed' || action === 'failClosed'
  const about = {
    product,
    hold,
    causationId: command.commandId,
    correlationId: command.metadata.correlationId,
    ...(isClosed && { reason: 'closed' }),
  }
  const repeat = { ...replyOf(reply, about, context), isRepeat: true } as const
  return { product, hold, emissions: [repeat] }
}

const nextHold = (
  hold: HoldRow | undefined,
  command: HoldCommand,
  { state, version }: Pick<HoldRow, 'state' | 'version'>,
  { nowMs, holdMs, memoryMs }: StockContext,
): HoldRow => {
  const { holdId, productId, orderId, line, quantity } = command.data
  const waitMs = state === 'waiting' ? waitMsOf(command) : undefined
  const dueMs = nowMs + (state === 'held' ? holdMs : (waitMs ?? memoryMs))
  const indexedMs = Math.min(hold?.indexedMs ?? dueMs, dueMs)
  const next = { holdId, productId, orderId, line, quantity, state, version, dueMs, indexedMs }
  return state === 'held' || state === 'waiting' ? { ...next, heldAtMs: nowMs } : next
}

const waitMsOf = ({ commandType, data }: HoldCommand): number | undefined =>
  commandType === 'ReserveStock' ? data.waitMs : undefined

const checkHold = (hold: HoldRow | undefined, command: HoldCommand): void => {
  const { data } = command
  checkId(data.productId, 'productId')
  checkId(data.orderId, 'orderId')
  checkId(data.holdId, 'holdId')
  checkCount(data.line, 'line', 0)
  checkCount(data.quantity, 'quantity', 1)
  const waitMs = waitMsOf(command)
  if (waitMs !== undefined) checkCount(waitMs, 'waitMs', 0)
  if (hold === undefined) return
  if (hold.orderId !== data.orderId || hold.quantity !== data.quantity || hold.line !== data.line) {
    throw new ShopError(
      'COMMAND_ID_REUSED',
      `hold ${data.holdId} is of order ${hold.orderId}, line `
        + `${hold.line}, quantity ${hold.quantity}`,
    )
  }
}

interface ReplySubject {
  readonly product: ProductRow
  readonly hold: HoldRow
  readonly causationId: string
  readonly correlationId: string
  readonly reason?: string
}

export const replyOf = (
  eventType: StockReplyType,
  { product, hold, causationId, correlationId, reason }: ReplySubject,
  { nowMs }: StockContext,
): StockEmission & { readonly kind: 'reply' } => {
  const { productId, orderId, holdId, line, quantity, version } = hold
  const { onHand, held } = product
  const data = {
    productId,
    orderId,
    holdId,
    line,
    quantity,
    onHand,
    held,
    ...(reason !== undefined && { reason }),
  }
  const origin = {
    source: inventorySource,
    aggregateId: productId,
    aggregateVersion: version,
    correlationId,
    causationId,
    nowMs,
  }
  const event = newEvent(eventType, data, origin, `${eventType}:${holdId}`)
  return { kind: 'reply', event }
}

/** Tells once, until the next addition, that a product runs low. */
export const withLowStock = (
  product: ProductRow,
  emissions: StockEmission[],
  causationId: string,
  { lowStockThreshold: threshold, nowMs }: StockContext,
): { readonly product: ProductRow; readonly emissions: StockEmission[] } => {
  const available = availableOf(product)
  if (product.isLow || available > threshold || product.addedTotal === 0) {
    return { product, emissions }
  }
  const { productId, version } = product
  const origin = {
    source: inventorySource,
    aggregateId: productId,
    aggregateVersion: version,
    correlationId: causationId,
    causationId,
    nowMs,
  }
  const data = { productId, available, threshold }
  const event = newEvent('stock.low', data, origin, `stock.low:${version}`)
  emissions.push({ kind: 'notice', event })
  return { product: { ...product, isLow: true }, emissions }
}

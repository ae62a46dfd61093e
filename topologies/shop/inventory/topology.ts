/**
 * The inventory flow: stock and holds by productId.
 *
 * Glue only: reads rows, asks `model.ts` and `update-stock.ts`, writes rows, index and counters.
 * Part of `shop.ts`; what it answers to orders goes back through a repartition topic.
 */

import {
  type KeyValueState,
  mapValues,
  type Observable,
  ofKind,
  process,
  repartitionBy,
  stream,
  type StreamRecord,
  to,
} from '../../../src/index.ts'
import { checkKey } from '../shared/check-key.ts'
import type { HoldCommand, InventoryCommand, UpdateStock } from '../shared/commands.ts'
import type { ShopConfig } from '../shared/config.ts'
import { type DueRows, dueRows, type DueTimes } from '../shared/due-rows.ts'
import { count, type Counters, duplicatesCounter } from '../shared/counters.ts'
import type { InventoryEvent, StockReply } from '../shared/events.ts'
import { type StockStep, tellStock } from '../shared/local-invariants.ts'
import { restOf, timeKey } from '../shared/time-index.ts'
import { inventory, inventoryCommands, inventoryReplies } from '../shared/topics.ts'
import type { OnViolation } from '../shared/violation.ts'
import {
  decideHold,
  decideHoldDue,
  heldAnew,
  type StockContext,
  type StockEmission,
} from './model.ts'
import type { HoldRow, ProductRow, StockCommandRow } from './stock-row.ts'
import {
  holdKey,
  holdStore,
  inventoryTotals,
  productStore,
  stockCommands,
  stockDeadlines,
} from './stores.ts'
import { decideStockUpdate } from './update-stock.ts'
import { concernsWaiting, serveWaiting } from './waiting-lines.ts'

/** Index rows looked at in one punctuation; more wait for the next one. */
const deadlinesMax = 1000

interface StockStores {
  readonly products: KeyValueState<string, ProductRow>
  readonly holds: KeyValueState<string, HoldRow>
  readonly commands: KeyValueState<string, StockCommandRow>
  readonly deadlines: KeyValueState<string, 1>
  readonly totals: Counters
}

/** What a decision is made and checked by. */
interface Deciding extends StockContext {
  readonly onViolation: OnViolation | undefined
}

export interface InventoryFlow {
  /** Answers, keyed by orderId: the input of the orders flow. */
  readonly replies$: Observable<StreamRecord<string, StockReply>>
  /** Everything that is decided, keyed by productId: for flows that follow. */
  readonly decided$: Observable<StreamRecord<string, StockEmission>>
  readonly sinks: readonly Observable<unknown>[]
}

export const inventoryFlow = (config: ShopConfig): InventoryFlow => {
  const decided$ = stream(inventoryCommands).pipe(decider(config))
  const replies$ = decided$.pipe(
    ofKind('reply'),
    mapValues(({ event }) => event),
    repartitionBy(inventoryReplies, ({ value }) => value.data.orderId),
  )
  const events$ = decided$.pipe(mapValues(({ event }): InventoryEvent => event))
  return { replies$, decided$, sinks: [events$.pipe(to(inventory))] }
}

const decider = (config: ShopConfig) => {
  const stores = {
    products: productStore,
    holds: holdStore,
    commands: stockCommands,
    deadlines: stockDeadlines,
    totals: inventoryTotals,
  }
  const { onViolation } = config
  const contextOf = (nowMs: number): Deciding => ({ ...config.inventory, nowMs, onViolation })
  const due = dueRows(deadlinesMax)
  return process<string, InventoryCommand, typeof stores, StockEmission>('inventory', stores, {
    onRecord: ({ key, value }, opened, context) => {
      checkKey(key, value.data.productId, 'productId')
      const now = contextOf(context.nowMs())
      const emissions =
        value.commandType === 'UpdateStock'
          ? updateStock(opened, value, now)
          : commandHold(opened, value, now)
      if (emissions === undefined) count(opened.totals, duplicatesCounter)
      return emissions ?? []
    },
    prefetchKeys: ({ value: { commandType, commandId, data } }) => ({
      products: [data.productId],
      ...(commandType === 'UpdateStock'
        ? { commands: [commandId] }
        : { holds: [holdKey(data.productId, data.holdId)] }),
    }),
    punctuators: {
      deadlines: {
        everyMs: config.inventory.checkEveryMs,
        on: 'wallClock',
        run: (nowMs, opened, context) => {
          const dueMs = Math.min(nowMs, context.caughtUpToMs())
          const times = { dueMs, nowMs, latestNowMs: context.latestNowMs() }
          return passDeadlines(opened, { due, times }, contextOf(nowMs))
        },
      },
    },
  })
}

const commandHold = (
  opened: StockStores,
  command: HoldCommand,
  context: Deciding,
): readonly StockEmission[] | undefined => {
  const { productId, holdId } = command.data
  const product = opened.products.get(productId)
  const hold = opened.holds.get(holdKey(productId, holdId))
  const decision = decideHold(product, hold, command, context)
  if (decision === undefined) return undefined
  if (decision.hold !== undefined) storeHold(opened, hold, decision.hold)
  const decided = { ...decision, before: hold, after: decision.hold }
  return serve(opened, { ...decided, known: product, causationId: command.commandId }, context)
}

interface Decided {
  /** As it is stored. */
  readonly known: ProductRow | undefined
  readonly product: ProductRow
  /** The hold that was decided about; `after` is stored. */
  readonly before?: HoldRow | undefined
  readonly after?: HoldRow | undefined
  /** Holds that a correction of the stock ended; these are stored. */
  readonly brokenHolds?: StockStep['holds']
  readonly emissions: readonly StockEmission[]
  readonly causationId: string
}

/** Stores the product, after what came free went to the lines that wait. @returns what to send */
const serve = (
  opened: StockStores,
  { known, product, before, after, brokenHolds = [], emissions, causationId }: Decided,
  context: Deciding,
): readonly StockEmission[] => {
  const { productId } = product
  const { onViolation } = context
  const holds = [...brokenHolds, { before, after }]
  if (!concernsWaiting(product, after)) {
    if (product !== known) opened.products.put(productId, product)
    tellStock(onViolation, { before: known, after: product, holds })
    return emissions
  }
  const holdOf = (holdId: string) => opened.holds.get(holdKey(productId, holdId))
  const served = serveWaiting(product, { before, after, holdOf, causationId }, context)
  if (served.product !== known) opened.products.put(productId, served.product)
  for (const hold of served.holds) {
    const waiting = holdOf(hold.holdId)
    holds.push({ before: waiting, after: hold })
    storeHold(opened, waiting, hold)
  }
  tellStock(onViolation, { before: known, after: served.product, holds })
  return [...emissions, ...served.emissions]
}

const updateStock = (
  opened: StockStores,
  command: UpdateStock,
  context: Deciding,
): readonly StockEmission[] | undefined => {
  const {
    commandId,
    data: { productId },
  } = command
  const product = opened.products.get(productId)
  const decision = decideStockUpdate(
    {
      product,
      seen: opened.commands.get(commandId),
      liveHolds: () => liveHoldsOf(opened, productId),
    },
    command,
    context,
  )
  if (decision === undefined) return undefined
  if (decision.seen !== undefined) {
    opened.commands.put(commandId, decision.seen)
    opened.deadlines.put(timeKey(context.nowMs + context.memoryMs, `c${commandId}`), 1)
  }
  const brokenHolds = decision.brokenHolds.map((after) => ({
    before: opened.holds.get(holdKey(productId, after.holdId)),
    after,
  }))
  for (const { before, after } of brokenHolds) storeHold(opened, before, after)
  const { product: changed, emissions } = decision
  if (changed === undefined) return emissions
  const decided = { known: product, product: changed, brokenHolds, emissions }
  return serve(opened, { ...decided, causationId: commandId }, context)
}

const liveHoldsOf = ({ holds }: StockStores, productId: string): readonly HoldRow[] => {
  const live: HoldRow[] = []
  for (const [, hold] of holds.range({ prefix: holdKey(productId, '') })) {
    if (hold.productId === productId && hold.state === 'held') live.push(hold)
  }
  return live
}

const passDeadlines = (
  opened: StockStores,
  { due, times }: { readonly due: DueRows; readonly times: DueTimes },
  context: Deciding,
): readonly (readonly [string, StockEmission])[] => {
  const sent: (readonly [string, StockEmission])[] = []
  for (const indexKey of due.next(opened.deadlines, times)) {
    opened.deadlines.delete(indexKey)
    const subject = restOf(indexKey)
    if (subject.startsWith('c')) opened.commands.delete(subject.slice(1))
    else sent.push(...passHold(opened, { key: subject.slice(1), dueMs: times.dueMs }, context))
  }
  for (const indexKey of due.ahead(opened.deadlines, times)) {
    const subject = restOf(indexKey)
    const hold = subject.startsWith('h') ? opened.holds.get(subject.slice(1)) : undefined
    const anew = hold && heldAnew(hold, context.nowMs)
    if (anew !== undefined) storeHold(opened, hold, anew)
  }
  return sent
}

const passHold = (
  opened: StockStores,
  { key, dueMs }: { readonly key: string; readonly dueMs: number },
  context: Deciding,
): readonly (readonly [string, StockEmission])[] => {
  const hold = opened.holds.get(key)
  const product = hold && opened.products.get(hold.productId)
  if (hold === undefined || product === undefined) return []
  const decision = decideHoldDue({ product, hold }, dueMs, context)
  if (decision.hold === undefined) opened.holds.delete(key)
  else storeHold(opened, undefined, decision.hold)
  const decided = { ...decision, before: hold, after: decision.hold }
  const emissions = serve(opened, { ...decided, known: product, causationId: hold.holdId }, context)
  return emissions.map((emission) => [product.productId, emission] as const)
}

/** @param before  what the index has a row of */
const storeHold = (
  { holds, deadlines }: StockStores,
  before: HoldRow | undefined,
  hold: HoldRow,
): void => {
  if (hold === before) return
  const key = holdKey(hold.productId, hold.holdId)
  holds.put(key, hold)
  if (before?.indexedMs === hold.indexedMs) return
  if (before !== undefined) deadlines.delete(timeKey(before.indexedMs, `h${key}`))
  deadlines.put(timeKey(hold.indexedMs, `h${key}`), 1)
}

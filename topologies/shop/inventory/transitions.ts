/**
 * What each command does to a hold in each state, as data. Read by `model.ts` only.
 *
 * `answerAgain` repeats the answer that led to this state; `drop` is for commands whose answer is
 * history. A hold ends exactly once: no entry leads from a closed state to `held`. A hold that
 * waits is held when stock comes (`waiting-lines.ts`), without a command.
 */

import type { HoldCommand } from '../shared/commands.ts'
import type { StockReplyType } from '../shared/events.ts'
import type { HoldState } from './stock-row.ts'

export type HoldAction =
  | 'hold'
  | 'deductHeld'
  | 'deductFree'
  | 'releaseHeld'
  | 'close'
  | 'giveBack'
  | 'refuseClosed'
  | 'failClosed'
  | 'answerAgain'
  | 'drop'

export const holdActions: Readonly<
  Record<HoldState | 'none', Readonly<Record<HoldCommand['commandType'], HoldAction>>>
> = {
  none: { ReserveStock: 'hold', DeductStock: 'deductFree', ReleaseStock: 'close' },
  waiting: { ReserveStock: 'answerAgain', DeductStock: 'drop', ReleaseStock: 'close' },
  held: { ReserveStock: 'answerAgain', DeductStock: 'deductHeld', ReleaseStock: 'releaseHeld' },
  expired: { ReserveStock: 'drop', DeductStock: 'deductFree', ReleaseStock: 'close' },
  deducted: { ReserveStock: 'drop', DeductStock: 'answerAgain', ReleaseStock: 'giveBack' },
  refused: { ReserveStock: 'answerAgain', DeductStock: 'failClosed', ReleaseStock: 'close' },
  released: {
    ReserveStock: 'refuseClosed',
    DeductStock: 'failClosed',
    ReleaseStock: 'answerAgain',
  },
  returned: { ReserveStock: 'drop', DeductStock: 'drop', ReleaseStock: 'answerAgain' },
}

/** The answer that a state repeats. */
export const answerOf: Readonly<Partial<Record<HoldState, StockReplyType>>> = {
  waiting: 'stock.backordered',
  held: 'stock.reserved',
  deducted: 'stock.deducted',
  released: 'stock.released',
  returned: 'stock.released',
  refused: 'reservation.failed',
}

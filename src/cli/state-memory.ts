/** How `--state-memory` is divided in this process; too little is an error of usage. */

import {
  divideMemory,
  type MemoryBudget,
  memoryBudgetMinBytes,
  type MemoryHolders,
} from '../../state/memory-budget.ts'
import type { Settings } from '../config/settings.ts'
import { formatSize } from '../config/size.ts'
import { UsageError } from '../config/usage-error.ts'

export type MemorySettings = Pick<Settings, 'stateMemoryBytes'>

/** @throws {UsageError} less than these databases need; the message has the smallest that works */
export const stateMemoryOf = (
  { stateMemoryBytes }: MemorySettings,
  holders: MemoryHolders,
): MemoryBudget => {
  const minBytes = memoryBudgetMinBytes(holders)
  if (stateMemoryBytes >= minBytes) return divideMemory(stateMemoryBytes, holders)
  const where = holders.hasBroker ? 'with the embedded broker' : 'on Kafka'
  throw new UsageError(
    `--state-memory: ${formatSize(stateMemoryBytes)} is too little: ${where} at least `
      + `${formatSize(minBytes)} are needed`,
  )
}

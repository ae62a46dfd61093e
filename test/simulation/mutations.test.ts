/**
 * Goal: the simulation would notice if the commit were wrong.
 * Method: break one rule of the commit at a time, by replacing one method, and demand that random
 * histories fail. A mutation that survives means that the tests are blind there.
 */

import { afterEach, describe, expect, test, vi } from 'vitest'
import { UndoLog } from '../../state/undo-log.ts'
import { EmbeddedBroker } from '../../src/broker/embedded/embedded-broker.ts'
import { Committer } from '../../src/runtime/committer.ts'
import type { Generation } from '../../src/runtime/generation.ts'
import { type HistoryKind, runHistory } from './history.ts'
import { reported } from './ledger.ts'
import { runZombie } from './zombie.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

/** @returns the message of the first history that fails, or undefined if all pass */
const firstFailure = async (kind: HistoryKind, histories: number): Promise<string | undefined> => {
  for (let seed = 0; seed < histories; seed++) {
    try {
      await runHistory(seed, kind)
    } catch (error) {
      return String(error)
    }
  }
  return undefined
}

describe('a wrong commit is noticed', () => {
  test('the store applied before the transaction ended', async () => {
    vi.spyOn(Committer.prototype, 'commit').mockImplementation(async function (
      this: Committer,
      generation: Generation,
    ) {
      const produced = await this.send(generation)
      await this.apply(generation, produced)
      await this.endTransaction()
    })
    // a new start of the broker would show it as a store that is ahead, and wipe that
    expect(await firstFailure('worker', 300)).toContain('failed')
  }, 120_000)

  test('a rollback dropped', async () => {
    vi.spyOn(UndoLog.prototype, 'rollback').mockImplementation(UndoLog.prototype.clear)
    expect(await firstFailure('machine', 50)).toContain('failed')
  }, 120_000)

  test('a restore that stops at the last stable offset', async () => {
    const { open } = EmbeddedBroker
    vi.spyOn(EmbeddedBroker, 'open').mockImplementation(async (options) => {
      const broker = await open.call(EmbeddedBroker, options)
      const offsets = broker.topics.offsets.bind(broker.topics)
      broker.topics.offsets = async (partition) => {
        const found = await offsets(partition)
        return { ...found, highWatermark: found.lastStableOffset }
      }
      return broker
    })
    expect(await firstFailure('worker', 400)).toContain('failed')
  }, 120_000)

  test('offsets left out of a punctuation: a zombie is not fenced', async () => {
    expect(await runZombie()).toEqual({ committedByZombie: false })
    const { sendOffsets } = Committer.prototype
    vi.spyOn(Committer.prototype, 'sendOffsets').mockImplementation(function (
      this: Committer,
      generation: Generation,
    ) {
      const isPunctuation = generation.batches.some(({ topic }) => topic === reported.name)
      return isPunctuation ? Promise.resolve() : sendOffsets.call(this, generation)
    })
    expect(await runZombie()).toEqual({ committedByZombie: true })
  }, 120_000)
})

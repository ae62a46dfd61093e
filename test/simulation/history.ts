/**
 * Random histories of the ledger: deposits, silence, crashes at random disk writes, restarts.
 *
 * A history is a pure function of its seed; a failure prints the seed and how to replay it.
 */

import { Prng } from '../../src/testing/prng.ts'
import { type Input, ledger } from './ledger.ts'
import { createTopics, sendInputs } from './topics.ts'
import { verify } from './verify.ts'
import { type Subject, World } from './world.ts'

/** Two sub-topologies of two partitions. */
const subject: Subject = { applicationId: 'ledger', topology: ledger, taskCount: 4, createTopics }

const accounts = ['ann', 'bob', 'cid', 'dee'] as const
const branches = ['north', 'south', 'west'] as const
/** Disk writes within which a crash falls: a commit takes about five. */
const crashWritesMax = 24

export type HistoryKind = 'machine' | 'worker' | 'faults'

export interface HistoryResult {
  readonly crashes: number
  readonly inputs: number
}

/**
 * @param kind  who dies: the whole machine, the worker alone (the broker's markers lag), or nobody,
 *              but calls fail before or after their effect
 */
export const runHistory = async (
  seed: number,
  kind: HistoryKind = 'machine',
): Promise<HistoryResult> => {
  const prng = new Prng(seed)
  const world = new World(
    subject,
    kind === 'worker'
      ? {
          markerDelayMs: 10 * prng.int(4),
          logMarkerDelayMs: prng.pick([0, 100, 2_000]),
          isReplaced: prng.int(2) === 0,
        }
      : {},
  )
  const inputs: Input[] = []
  try {
    await world.open()
    const rounds = 1 + prng.int(3)
    for (let round = 0; round < rounds; round++) {
      const batch = Array.from({ length: 1 + prng.int(6) }, (_, i) =>
        randomInput(prng, inputs.length + i),
      )
      await sendInputs(world.broker!, world.clock, batch)
      inputs.push(...batch)
      await (kind === 'faults' ? surviveFaults(world, prng) : surviveCrashes(world, prng, kind))
    }
    await world.settle()
    await verify(world, inputs)
    await world.close()
  } catch (cause) {
    throw new Error(
      `${kind} history of seed ${seed} failed; replay: SEED=${seed} npx vitest run `
        + `test/simulation/exactly-once.test.ts\n${String(cause)}`,
      { cause },
    )
  }
  return { crashes: world.crashes, inputs: inputs.length }
}

const surviveCrashes = async (
  world: World,
  prng: Prng,
  kind: 'machine' | 'worker',
): Promise<void> => {
  for (let crashes = prng.int(3); crashes > 0; crashes--) {
    world.planCrash({
      atWrite: 1 + prng.int(crashWritesMax),
      when: prng.int(2) === 0 ? 'before' : 'after',
      isWorkerOnly: kind === 'worker',
    })
    if (world.isDown) await world.open()
    if (!world.isDown) await world.settle()
  }
  world.planCrash({ atWrite: Infinity, when: 'before' })
  while (world.isDown) await world.open()
}

/** Every kind of call may fail, with its effect or without; then the network heals. */
const surviveFaults = async (world: World, prng: Prng): Promise<void> => {
  world.faults.random = {
    prng,
    unavailable: 0.02,
    unknownBefore: 0.03,
    unknownAfter: 0.06,
    partialFetch: 0.2,
    spuriousRebalance: 0.2,
  }
  await world.settle()
  world.faults.random = undefined
}

const randomInput = (prng: Prng, id: number): Input => ({
  account: prng.pick(accounts),
  deposit: {
    id,
    cents: 1 + prng.int(500),
    branch: prng.pick(branches),
    isPoison: prng.int(10) === 0,
  },
})

/** Two replicas of the summing application on five partitions, and entries for all of them. */

import { expect } from 'vitest'
import { Site } from './fixture.ts'
import type { Instance, InstanceOptions } from './instance.ts'
import { entries, summing, sums, sumsOf } from './summing.ts'

export const partitions = 5
export const keys = Array.from({ length: 12 }, (_, i) => `key-${i}`)
export const topology = summing

export const open = async (): Promise<Site> => {
  const site = await Site.open()
  await site.createTopics([entries, sums], partitions)
  return site
}

export const tasksOf = (...instances: readonly Instance[]): readonly number[] =>
  instances.map(({ application }) => application.metrics().tasks)

/** One entry of 1 for every key; `rounds` of them leave 1, 2, 3, … per key. */
export const sendRound = async (site: Site): Promise<void> => {
  for (const key of keys) {
    await site.send(entries, key, 1)
    await site.turn()
  }
}

export const expectRounds = async (site: Site, rounds: number): Promise<void> => {
  const counts = Array.from({ length: rounds }, (_, i) => i + 1)
  for (const key of keys) expect(await sumsOf(site, key), key).toEqual(counts)
}

export const a: InstanceOptions = { topology, instanceId: 'a' }
export const b: InstanceOptions = { topology, instanceId: 'b' }

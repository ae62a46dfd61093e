/**
 * Goal: whatever the instances of a group go through, every entry is counted once.
 * Method: random histories of three instances on one broker: entries flow while they are killed in
 * the middle of anything, freeze and go on, leave, come back on their old disks or on new ones, are
 * removed from the group, and while rebalances and lost answers are injected.
 * Invariant: the outputs of every key are 1, 2, 3, … up to the entries sent.
 */

import { expect, test } from 'vitest'
import { MemoryDisk } from '../../state/memory/memory-disk.ts'
import type { GroupMetadata } from '../../src/broker/port.ts'
import { Prng } from '../../src/testing/prng.ts'
import { Site } from './fixture.ts'
import type { Launched } from './instance.ts'
import { expectRounds, keys, partitions, topology } from './replica-rounds.ts'
import { entries, sums } from './summing.ts'

const histories = Number(process.env['HISTORIES'] ?? 60)
const only = process.env['SEED']
const names = ['a', 'b', 'c']

class History {
  readonly #site: Site
  readonly #prng: Prng
  readonly #living = new Map<string, Launched>()
  readonly #disks = new Map<string, MemoryDisk>()
  readonly #frozen = new Set<string>()
  rounds = 0

  constructor(site: Site, prng: Prng) {
    this.#site = site
    this.#prng = prng
  }

  async run(): Promise<void> {
    for (const name of names) this.#start(name)
    for (let step = 0; step < 12; step++) {
      await this.#step(this.#prng.pick(names))
      await this.#sendRound()
      await this.#site.turn(this.#prng.int(40))
    }
    this.#site.faults.random = undefined
    for (const name of names) {
      this.#thaw(name)
      if (!this.#living.has(name)) this.#start(name)
    }
    const instances = [...this.#living.values()]
    await this.#site.until(() => {
      const tasks = instances.map(({ application }) => application.metrics().tasks)
      return tasks.reduce((sum, count) => sum + count, 0) === partitions
    })
    await this.#site.idle()
  }

  /** The loader itself is not disturbed: what it does not know would be sent twice. */
  async #sendRound(): Promise<void> {
    const { faults } = this.#site
    const { random } = faults
    for (const key of keys) {
      faults.random = undefined
      await this.#site.send(entries, key, 1)
      faults.random = random
      await this.#site.turn()
    }
    this.rounds += 1
  }

  async #step(name: string): Promise<void> {
    const instance = this.#living.get(name)
    if (instance === undefined) return this.#start(name)
    switch (this.#prng.int(6)) {
      case 0:
        return this.#kill(name, instance)
      case 1:
        this.#kill(name, instance)
        return this.#start(name)
      case 2:
        if (this.#frozen.has(name)) return
        this.#living.delete(name)
        await this.#site.settled(instance.application.close())
        return instance.kill()
      case 3:
        if (this.#frozen.has(name)) return this.#thaw(name)
        this.#frozen.add(name)
        return instance.connection.pause()
      case 4:
        return this.#remove(instance)
      default:
    }
  }

  #start(name: string): void {
    if (this.#prng.int(4) === 0) this.#disks.delete(name)
    const disk = this.#disks.get(name) ?? new MemoryDisk()
    this.#disks.set(name, disk)
    const config = { transactionTimeoutMs: 60_000, restoreBatchBytes: 1_024 }
    this.#living.set(name, this.#site.launch({ topology, instanceId: name, disk, config }))
  }

  #kill(name: string, instance: Launched): void {
    this.#frozen.delete(name)
    this.#living.delete(name)
    instance.kill()
  }

  #thaw(name: string): void {
    this.#frozen.delete(name)
    this.#living.get(name)?.connection.resume()
  }

  /** As a wrong verdict of its peers does. */
  async #remove({ calls }: Launched): Promise<void> {
    const sent = calls.findLast(({ name }) => name === 'sendOffsets')
    if (sent === undefined) return
    await this.#site.broker.groups.leave(sent.args[1] as GroupMetadata).catch(() => {})
  }
}

test('random histories of three instances', async () => {
  const seeds = only === undefined ? Array.from({ length: histories }, (_, i) => i) : [Number(only)]
  for (const seed of seeds) {
    const site = await Site.open()
    await site.createTopics([entries, sums], partitions)
    const prng = new Prng(seed)
    if (seed % 2 === 1) {
      site.faults.random = {
        prng: new Prng(seed),
        spuriousRebalance: 0.05,
        unavailable: 0.01,
        unknownBefore: 0.005,
        unknownAfter: 0.005,
      }
    }
    const history = new History(site, prng)
    try {
      await history.run()
      await expectRounds(site, history.rounds)
    } catch (error) {
      throw new Error(`history failed: SEED=${seed}`, { cause: error })
    }
    await site.end()
  }
  expect(seeds.length).toBeGreaterThan(0)
}, 600_000)

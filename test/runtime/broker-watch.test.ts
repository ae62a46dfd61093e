/** A broker that goes away and comes back: noticed, told once, and commands do not hang. */

import { expect, onTestFinished, test } from 'vitest'
import type { Broker } from '../../src/broker/port.ts'
import { BrokerWatch } from '../../src/runtime/broker-watch.ts'
import { CommandWriter } from '../../src/cli/command-writer.ts'
import { connect } from '../simulation/severable.ts'
import { traced } from './call-trace.ts'
import { Site } from './fixture.ts'
import { entries } from './summing.ts'
import { loggerOf } from './written-log.ts'

interface Watched {
  readonly site: Site
  readonly broker: Broker
  readonly watch: BrokerWatch
  readonly log: string[]
}

const open = async (topic = entries.name): Promise<Watched> => {
  const site = await Site.open()
  await site.createTopics([entries])
  const { clock } = site
  const options = { calls: [], nowMs: () => clock.nowMs(), isOut: () => site.isOut }
  const broker = traced(site.broker, options)
  const log: string[] = []
  const watch = new BrokerWatch({ broker, topic, name: 'Kafka', clock, logger: loggerOf(log) })
  onTestFinished(() => watch.stop())
  return { site, broker, watch, log }
}

test('a broker that refuses calls is away within 5 s, told once, until it answers', async () => {
  const { site, watch, log } = await open()
  await site.turn(50, 200)
  expect([watch.isSilent, log]).toEqual([false, []])
  let isTold = false
  void watch.untilSilent().then(() => (isTold = true))
  site.isOut = true
  await site.turn(25, 200)
  expect([watch.isSilent, isTold]).toEqual([true, true])
  await site.turn(100, 200)
  expect(log).toHaveLength(1)
  expect(log[0]).toContain('Kafka does not answer: describe: no connection; waiting')
  site.isOut = false
  await site.turn(10, 200)
  expect(watch.isSilent).toBe(false)
  expect(log[1]).toContain('Kafka answers again')
  site.isOut = true
  await site.turn(25, 200)
  expect([watch.isSilent, log.length]).toEqual([true, 3])
})

test('a refusal is an answer: a topic that is not there is no outage', async () => {
  const { site, watch } = await open('nowhere')
  await site.turn(50, 200)
  expect(watch.isSilent).toBe(false)
})

test('commands are refused while the broker is away, and written afterwards', async () => {
  const { site, broker, watch } = await open()
  const writer = await CommandWriter.open({
    broker,
    clock: site.clock,
    topics: [entries.name],
    isSilent: () => watch.isSilent,
  })
  await writer.write(entries, 'k', 1)
  site.isOut = true
  await site.turn(25, 200)
  await expect(writer.write(entries, 'k', 2)).rejects.toMatchObject({ code: 'BROKER_UNAVAILABLE' })
  site.isOut = false
  await site.turn(10, 200)
  await writer.write(entries, 'k', 3)
  await writer.close()
  expect(await site.values(entries)).toEqual([1, 3])
})

test('a question that is never answered counts as silence', async () => {
  const site = await Site.open()
  const connection = connect(site.broker)
  const log: string[] = []
  const [{ broker }, { clock }, logger] = [connection, site, loggerOf(log)]
  const watch = new BrokerWatch({ broker, topic: 'any', name: 'Kafka', clock, logger })
  onTestFinished(() => watch.stop())
  await site.turn(10, 200)
  connection.sever()
  await site.turn(25, 200)
  expect(watch.isSilent).toBe(true)
  expect(log).toEqual(['Kafka does not answer: nothing came for 3 s; waiting'])
})

test('a write without an answer is told of as unknown within 5 s, and may be written', async () => {
  const { site, watch } = await open()
  const { broker, pause, resume } = connect(site.broker)
  const writer = await CommandWriter.open({
    broker,
    clock: site.clock,
    topics: [entries.name],
    isSilent: () => watch.isSilent,
  })
  pause()
  const told = writer.write(entries, 'k', 1).catch((error: unknown) => error)
  const waits = writer.write(entries, 'k', 2).catch((error: unknown) => error)
  await site.turn(25, 200)
  expect(await told).toMatchObject({ code: 'BROKER_UNKNOWN_OUTCOME' })
  expect(await waits).toMatchObject({ code: 'BROKER_UNKNOWN_OUTCOME' })
  resume()
  await writer.write(entries, 'k', 3)
  await writer.close()
  expect(await site.values(entries)).toEqual([1, 2, 3])
})

test('closing a writer waits neither for a broker that is away nor for an answer', async () => {
  const { site } = await open()
  const { broker, pause } = connect(site.broker)
  let isSilent = false
  const writer = await CommandWriter.open({
    broker,
    clock: site.clock,
    topics: [entries.name],
    isSilent: () => isSilent,
  })
  pause()
  const told = writer.write(entries, 'k', 1).catch((error: unknown) => error)
  await site.turn(1, 200)
  isSilent = true
  await writer.close()
  await site.turn(25, 200)
  expect(await told).toMatchObject({ code: 'BROKER_UNKNOWN_OUTCOME' })
})

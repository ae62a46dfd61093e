/**
 * Goal: dead letters are found, edited, replayed and discarded, each once, whoever interferes.
 *
 * Method: the desk on an embedded broker in memory with letters of three kinds, written as the
 * runtime writes them; what it did is read back from the topics and from the audit.
 */

import { onTestFinished, describe, expect, it } from 'vitest'
import { MemoryEngine } from '../../state/memory/memory-engine.ts'
import { EmbeddedBroker } from '../../src/broker/embedded/embedded-broker.ts'
import { EmbeddedBrokerFaults } from '../../src/broker/embedded/faults.ts'
import { BrokerError } from '../../src/broker/errors.ts'
import { shopDesk } from '../../src/cli/shop-desk.ts'
import { ecomNames } from '../../src/cli/topic-names.ts'
import { stderrLogger } from '../../src/cli/stderr-logger.ts'
import { systemClock } from '../../src/clock.ts'
import type {
  DeadLetterAccess,
  SettleReport,
  SettleRequest,
} from '../../src/dlq/dead-letter-access.ts'
import { OpenLetters } from '../../src/dlq/open-letters.ts'
import { orderCommands, paymentCommands } from '../../topologies/shop/shared/topics.ts'
import { command, readAll, readAudit, type Written, writeLetters } from './letters.ts'

const deadLetterTopic = ecomNames.deadLetters

interface Site {
  readonly broker: EmbeddedBroker
  readonly faults: EmbeddedBrokerFaults
  readonly desk: DeadLetterAccess
  readonly letters: readonly Written[]
  another(): DeadLetterAccess
}

const open = async (count: number): Promise<Site> => {
  const faults = new EmbeddedBrokerFaults()
  const engine = MemoryEngine.create()
  const broker = await EmbeddedBroker.open({ engine, clock: systemClock, faults, seed: 3 })
  onTestFinished(() => broker.close())
  const letters = await writeLetters(broker, count, Date.now())
  const another = () => shopDesk({ broker, logger: stderrLogger('silent'), names: ecomNames })
  return { broker, faults, desk: another(), letters, another }
}

const settle = async (
  desk: DeadLetterAccess,
  request: Partial<SettleRequest> & Pick<SettleRequest, 'what'>,
): Promise<SettleReport> =>
  desk.settle({ selection: {}, limit: 1_000, isDryRun: false, by: 'me@here', ...request })

const sent = async (broker: EmbeddedBroker) => [
  ...(await readAll(broker, orderCommands.name)),
  ...(await readAll(broker, paymentCommands.name)),
]

const unknown = (): never => {
  throw new BrokerError('BROKER_UNKNOWN_OUTCOME', 'no answer')
}

const ids = (found: readonly { readonly id: string }[]): readonly string[] =>
  found.map(({ id }) => id)

describe('looking', () => {
  it('lists by every condition, page by page, without an audit topic', async () => {
    const { desk, letters, broker } = await open(60)
    const all = await desk.list({ selection: {}, limit: 1_000 })
    expect(all.letters).toHaveLength(60)
    expect(all.next).toBeUndefined()
    const of = async (selection: object) =>
      ids((await desk.list({ selection, limit: 1_000 })).letters).toSorted()
    const where = (test: (letter: Written) => boolean) => ids(letters.filter(test)).toSorted()
    const transient = where(({ kind }) => kind === 'transient')
    expect(await of({ error: 'transient' })).toEqual(transient)
    expect(await of({ error: 'ORDER_UNKNOWN' })).toEqual(where(({ kind }) => kind === 'business'))
    expect(await of({ error: 'SyntaxError' })).toEqual(where(({ kind }) => kind === 'poison'))
    expect(await of({ topic: paymentCommands.name, error: 'transient' })).toEqual(
      where(({ topic, kind }) => topic === paymentCommands.name && kind === 'transient'),
    )
    expect(await of({ task: '0_4' })).toEqual(where(({ partition }) => partition === 4))
    expect(await of({ key: 'order-7' })).toEqual(where(({ key }) => key === 'order-7'))
    expect(await of({ contains: 'no json 12' })).toEqual(where(({ key }) => key === 'order-12'))
    expect(await of({ contains: 'rate of exchange' })).toEqual(transient)
    expect(await of({ status: 'replayed' })).toEqual([])
    const tenthMs = Date.parse(all.letters.find(({ id }) => id === letters[10]!.id)!.failedAt)
    expect(await of({ sinceMs: tenthMs })).toEqual(ids(letters.slice(10)).toSorted())
    expect(await of({ untilMs: tenthMs })).toEqual(ids(letters.slice(0, 10)).toSorted())

    const pages: string[] = []
    let cursor: string | undefined
    do {
      const more = cursor === undefined ? {} : { cursor }
      const page = await desk.list({ selection: { error: 'transient' }, limit: 7, ...more })
      expect(page.letters.length).toBe(pages.length < 14 ? 7 : 6)
      pages.push(...ids(page.letters))
      cursor = page.next
    } while (cursor !== undefined)
    expect(pages.toSorted()).toEqual(transient)
    await expect(desk.list({ selection: {}, limit: 1, cursor: 'odd' })).rejects.toMatchObject({
      code: 'DLQ_BAD_REQUEST',
    })
    expect((await broker.topics.list()).map(({ name }) => name)).toContain(deadLetterTopic)
  })

  it('shows all there is of one, decoded where the serde takes it', async () => {
    const { desk, letters } = await open(3)
    const [poison, business] = await Promise.all(letters.map(({ id }) => desk.show(id)))
    expect(poison).toMatchObject({
      class: 'poison',
      code: 'STREAMS_DESERIALIZATION',
      cause: '',
      exception: 'SyntaxError',
      status: 'open',
      topic: orderCommands.name,
      source: `${orderCommands.name}-0@0`,
      key: { encoding: 'decoded', decoded: 'order-0' },
      value: { encoding: 'utf8', text: '{ no json 0' },
      replays: 0,
      audit: [],
    })
    expect(poison!.stack).toContain('SyntaxError: Unexpected token')
    expect(poison!.headers.map(({ key }) => key)).toEqual(['traceparent', 'nothing'])
    expect(business).toMatchObject({ class: 'business', cause: 'ORDER_UNKNOWN' })
    expect(business!.value).toEqual({
      encoding: 'decoded',
      decoded: JSON.parse(letters[1]!.value) as object,
    })
    for (const id of ['ecom.dlq-0-99', 'ecom.dlq-9-0', 'nothing']) {
      expect(await desk.show(id)).toBeUndefined()
    }
  })

  it('counts by topic, class, code and hour', async () => {
    const { desk } = await open(30)
    await settle(desk, { what: 'discard', selection: { error: 'business' }, reason: 'old' })
    const { total, byClass, byTopic, byCode, byHour } = await desk.stats({})
    expect(total).toEqual({ open: 20, replayed: 0, discarded: 10 })
    expect(byClass).toEqual({
      business: { open: 0, replayed: 0, discarded: 10 },
      poison: { open: 10, replayed: 0, discarded: 0 },
      transient: { open: 10, replayed: 0, discarded: 0 },
    })
    expect(Object.keys(byTopic)).toEqual([orderCommands.name, paymentCommands.name])
    expect(byCode['ORDER_UNKNOWN']).toEqual({ open: 0, replayed: 0, discarded: 10 })
    expect(Object.keys(byHour)[0]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:00Z$/)
  })
})

describe('replaying', () => {
  it('sends each once: same topic, partition, key, bytes, time and headers', async () => {
    const { broker, desk, letters } = await open(60)
    const selection = { error: 'transient' }
    const dry = await settle(desk, { what: 'replay', selection, isDryRun: true })
    expect(dry.settled.reduce((sum, { count }) => sum + count, 0)).toBe(20)
    expect(await sent(broker)).toEqual([])
    const report = await settle(desk, { what: 'replay', selection, reason: 'rates are back' })
    expect(report).toEqual(dry)
    expect((await settle(desk, { what: 'replay', selection })).settled).toEqual([])

    const wanted = letters.filter(({ kind }) => kind === 'transient')
    const found = await sent(broker)
    expect(found).toHaveLength(20)
    const byKey = new Map(found.map((record) => [record.key, record]))
    for (const { id, key, value, partition, topic, timestampMs } of wanted) {
      expect(byKey.get(key)).toMatchObject({ partition, value, timestampMs })
      const { headers } = byKey.get(key)!
      expect(headers).toMatchObject({
        '__millrace.replay-of': id,
        '__millrace.replay-first': id,
        '__millrace.replay-attempt': '1',
        '__millrace.replay-to': `${topic}-${partition}`,
        nothing: 'null',
      })
      expect(headers['traceparent']).toContain(key.slice('order-'.length))
      expect(Object.keys(headers).filter((name) => name.includes('errors'))).toEqual([])
    }
    const audit = await readAudit(broker)
    expect(audit).toHaveLength(20)
    for (const entry of audit) {
      expect(entry).toMatchObject({ what: 'replayed', by: 'me@here', reason: 'rates are back' })
      const { id, topic, partition } = wanted.find((letter) => letter.id === entry.letter)!
      expect(entry).toMatchObject({ letter: id, to: { topic, partition }, attempt: 1 })
    }
    expect((await desk.show(wanted[0]!.id))!.audit).toEqual([
      audit.find(({ letter }) => letter === wanted[0]!.id),
    ])
  })

  it('sends what was edited; the letter stays as it was, and bad values are refused', async () => {
    const { broker, desk, letters } = await open(6)
    const { id, key, value } = letters[0]!
    const edit = (text: string, isRaw = false) =>
      desk.edit({ id, value: { encoding: 'utf8', text }, by: 'me@here', isRaw, reason: 'typo' })
    await expect(edit('{ still none')).rejects.toMatchObject({ code: 'DLQ_REFUSED' })
    expect(await edit('{ still none', true)).toMatchObject({ isChanged: true })
    expect(await edit(command(key))).toMatchObject({ isChanged: true })
    expect(await edit(command(key))).toMatchObject({ isChanged: false })
    const shown = (await desk.show(id))!
    expect(shown).toMatchObject({ isEdited: true, value: { text: value }, status: 'open' })
    expect(shown.amendedRaw).toEqual({ encoding: 'utf8', text: command(key) })
    expect(shown.audit.map(({ what }) => what)).toEqual(['edited', 'edited'])
    await settle(desk, { what: 'replay', selection: { ids: [id] } })
    expect(await sent(broker)).toMatchObject([{ key, value: command(key) }])
    await expect(edit('{}', true)).rejects.toMatchObject({ code: 'DLQ_REFUSED' })
    const missing = { id: 'ecom.dlq-0-99', value: { encoding: 'utf8', text: '' } as const }
    await expect(desk.edit({ ...missing, by: 'me', isRaw: true })).rejects.toMatchObject({
      code: 'DLQ_BAD_REQUEST',
    })
  })

  it('refuses what is settled, missing, too often replayed, too old or placeless', async () => {
    const { broker, desk, letters } = await open(12)
    const [first, second, third] = letters as [Written, Written, Written]
    await settle(desk, { what: 'discard', selection: { ids: [first.id] }, reason: 'x' })
    await settle(desk, { what: 'replay', selection: { ids: [second.id] } })
    const named = { ids: [first.id, second.id, third.id, third.id, 'ecom.dlq-1-999'] }
    const report = await settle(desk, { what: 'replay', selection: named })
    expect(report.settled).toMatchObject([{ count: 1 }])
    const reasons = new Map(report.refused.map(({ id, reason }) => [id, reason]))
    expect(reasons.get(first.id)).toBe('it is discarded already')
    expect(reasons.get(second.id)).toBe('it is replayed already')
    expect(reasons.get('ecom.dlq-1-999')).toBe('there is no such dead letter')
    expect(reasons.size).toBe(3)

    const odd = (headers: Readonly<Record<string, string>>) => ({
      timestampMs: Date.now(),
      key: null,
      value: Buffer.from('odd'),
      headers: Object.entries(headers).map(([key, text]) => ({ key, value: Buffer.from(text) })),
    })
    const place = {
      '__streams.errors.topic': orderCommands.name,
      '__streams.errors.partition': '5',
      '__streams.errors.offset': '1',
    }
    const often = {
      '__millrace.replay-of': 'x-0-2',
      '__millrace.replay-first': 'x-0-1',
      '__millrace.replay-attempt': '5',
    }
    const producer = broker.producer('odd')
    const records = [
      odd({}),
      odd({ ...place, '__streams.errors.partition': '6' }),
      odd({ ...place, '__streams.errors.topic': 'nowhere' }),
      odd({ ...place, ...often }),
      odd({ ...place, '__millrace.timestamp-ms': String(Date.now() - 8 * 86_400_000) }),
    ]
    await producer.send([{ topic: deadLetterTopic, partition: 2, records }])
    const selection = { contains: 'odd' }
    const refused = await settle(desk, { what: 'replay', selection })
    expect(refused.settled).toEqual([])
    expect(refused.refused.map(({ reason }) => reason)).toEqual([
      'it does not say where it came from',
      `there is no partition 6 of ${orderCommands.name}`,
      'there is no topic nowhere',
      'its record was replayed 5 times already (first x-0-1): --force',
      expect.stringContaining('would delete it unread: --now'),
    ])
    const forced = await settle(desk, {
      what: 'replay',
      selection,
      isForced: true,
      isTimedNow: true,
    })
    expect(forced.settled).toMatchObject([{ count: 2 }])
    const again = (await sent(broker)).find(
      ({ headers }) => headers['__millrace.replay-attempt'] === '6',
    )
    expect(again).toMatchObject({ headers: { '__millrace.replay-first': 'x-0-1' } })
    const given = await settle(desk, { what: 'discard', selection, reason: 'foreign' })
    expect(given.settled.reduce((sum, { count }) => sum + count, 0)).toBe(3)
  })

  it('leaves out the record that the broker does not take, and sends the rest', async () => {
    const { broker, desk, letters } = await open(9)
    const big = letters.find(({ topic }) => topic === orderCommands.name)!
    const value = { encoding: 'utf8', text: 'x'.repeat(5_000) } as const
    await desk.edit({ id: big.id, value, by: 'me', isRaw: true })
    const config = { maxMessageBytes: 4_000 }
    await broker.topics.changeSettings([{ name: orderCommands.name, config }])
    const report = await settle(desk, { what: 'replay' })
    expect(report.refused).toMatchObject([{ id: big.id }])
    expect(report.refused[0]!.reason).toContain('more than the topic takes')
    expect(await sent(broker)).toHaveLength(8)
    expect((await desk.show(big.id))!.status).toBe('open')
  })
})

describe('whoever interferes', () => {
  it('the later of two commands wins, the earlier is told, and nothing is doubled', async () => {
    const { broker, desk, letters, another } = await open(40)
    const first = await settle(desk, { what: 'replay', limit: 10 })
    const rival = another()
    const theirs = await settle(rival, { what: 'replay', limit: 10 })
    await expect(
      settle(desk, { what: 'replay', limit: 10, cursor: first.next! }),
    ).rejects.toMatchObject({ code: 'DLQ_TAKEN_OVER' })
    await settle(rival, { what: 'replay', limit: 10, cursor: theirs.next! })
    // run again it goes on
    await settle(desk, { what: 'replay' })
    const keys = (await sent(broker)).map(({ key }) => key)
    expect(keys.toSorted()).toEqual(letters.map(({ key }) => key).toSorted())
    expect(await readAudit(broker)).toHaveLength(40)
  })

  it.each(['produce', 'commit'] as const)(
    'an unknown outcome of %s is never guessed',
    async (at) => {
      for (const effect of ['before', 'after'] as const) {
        const { broker, faults, desk, letters } = await open(20)
        faults.control(at, unknown, { when: effect })
        await expect(settle(desk, { what: 'replay' })).rejects.toThrow('no answer')
        const { settled } = await settle(desk, { what: 'replay' })
        const count = settled.reduce((sum, each) => sum + each.count, 0)
        expect(count).toBe(at === 'commit' && effect === 'after' ? 0 : 20)
        const keys = (await sent(broker)).map(({ key }) => key)
        expect(keys.toSorted()).toEqual(letters.map(({ key }) => key).toSorted())
      }
    },
  )

  it('an audit that forgets is refused, and so is one that was cut', async () => {
    const { broker, desk } = await open(3)
    await settle(desk, { what: 'replay', limit: 1 })
    const audit = `${deadLetterTopic}-audit`
    await broker.topics.changeSettings([{ name: audit, config: { retentionMs: 60_000 } }])
    await expect(settle(desk, { what: 'replay' })).rejects.toThrow('may forget what was replayed')
    await broker.topics.changeSettings([{ name: audit, config: { retentionMs: -1 } }])
    await broker.topics.purge({ topic: audit, partition: 0 }, 1n)
    await expect(settle(desk, { what: 'replay' })).rejects.toThrow('nobody knows which')
  })

  it('an audit entry of a later version is refused: no status is guessed', async () => {
    const { broker, desk } = await open(3)
    await settle(desk, { what: 'replay', limit: 1 })
    const record = {
      timestampMs: 1,
      key: null,
      value: Buffer.from('{"what":"parked"}'),
      headers: [],
    }
    const audit = { topic: `${deadLetterTopic}-audit`, partition: 0, records: [record] }
    await broker.producer('later').send([audit])
    await expect(desk.stats({})).rejects.toMatchObject({ code: 'DLQ_REFUSED' })
    await expect(settle(desk, { what: 'replay' })).rejects.toThrow('does not know: {"what"')
  })

  it('a topic made anew begins anew: old entries say nothing of its letters', async () => {
    const { broker, desk } = await open(3)
    await settle(desk, { what: 'discard', reason: 'x' })
    await broker.topics.delete([deadLetterTopic])
    await writeLetters(broker, 3, Date.now())
    const { letters } = await desk.list({ selection: { status: 'open' }, limit: 10 })
    expect(letters).toHaveLength(3)
  })
})

describe('open letters', () => {
  it('are counted by topic and class as they come and go', async () => {
    const { broker, desk } = await open(12)
    const open12 = new OpenLetters({
      broker,
      topic: deadLetterTopic,
      logger: stderrLogger('silent'),
    })
    const sum = async (): Promise<Record<string, number>> => {
      const counts = await open12.counts(10_000)
      return Object.fromEntries(
        counts.map(({ topic, failureClass, count }) => [`${failureClass} ${topic}`, count]),
      )
    }
    expect(await sum()).toEqual({
      [`poison ${orderCommands.name}`]: 2,
      [`poison ${paymentCommands.name}`]: 2,
      [`business ${orderCommands.name}`]: 2,
      [`business ${paymentCommands.name}`]: 2,
      [`transient ${orderCommands.name}`]: 2,
      [`transient ${paymentCommands.name}`]: 2,
    })
    await settle(desk, { what: 'replay', selection: { topic: orderCommands.name } })
    await settle(desk, { what: 'discard', selection: { error: 'poison' }, reason: 'x' })
    expect(await sum()).toEqual({
      [`business ${paymentCommands.name}`]: 2,
      [`transient ${paymentCommands.name}`]: 2,
    })
    // the business one of partition 0 and the poison one before it
    await broker.topics.purge({ topic: deadLetterTopic, partition: 0 }, 2n)
    await writeLetters(broker, 1, Date.now())
    expect(await sum()).toEqual({
      [`poison ${orderCommands.name}`]: 1,
      [`business ${paymentCommands.name}`]: 1,
      [`transient ${paymentCommands.name}`]: 2,
    })
  })
})

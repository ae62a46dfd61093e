/** External calls over crashes: at least once by one key, and in order per key. */

import { describe, expect, test } from 'vitest'
import { BrokerError } from '../../src/broker/errors.ts'
import { charges, Gateway, openSite, receipts } from './gateway.ts'
import { hold } from './hold.ts'

test('a call starts only after the commit that stored its request', async () => {
  const gateway = new Gateway()
  const {
    site,
    instance: { application, disk },
  } = await openSite(gateway)
  await site.turn(20)
  const applying = hold()
  disk.beforeCommit = applying.wait
  await site.send(charges, 'k', 5)
  await site.turn(40)
  expect(application.metrics().counters.recordsProcessed).toBe(1)
  expect(gateway.requests).toEqual([])
  disk.beforeCommit = undefined
  applying.release()
  await site.until(() => gateway.requests.length === 1)
  gateway.calls[0]!.answer('paid')
  await site.idle()
  expect(await site.values(receipts)).toEqual(['5 paid after 1'])
})

describe('a crash', () => {
  test('between the call and the commit of its answer repeats it by the same key', async () => {
    const gateway = new Gateway()
    const { site, instance } = await openSite(gateway)
    await site.send(charges, 'k', 5)
    await site.until(() => gateway.calls.length === 1)
    site.faults.control('commit', () => new Promise(() => {}))
    gateway.calls[0]!.answer('paid')
    await site.turn(40) // the answer was processed; its transaction never ends
    instance.kill()
    await site.start({ topology: gateway.topology, disk: instance.disk })
    await site.until(() => gateway.calls.length === 2)
    expect(gateway.calls[1]!.idempotencyKey).toBe(gateway.calls[0]!.idempotencyKey)
    gateway.calls[1]!.answer('paid')
    await site.idle()
    expect(await site.values(receipts)).toEqual(['5 paid after 1'])
  })

  test('while it is on its way, the local disk lost: called again by the same key', async () => {
    const gateway = new Gateway()
    const { site, instance } = await openSite(gateway)
    for (const cents of [5, 6]) await site.send(charges, 'k', cents)
    await site.until(() => gateway.calls.length === 1)
    const signal = gateway.calls[0]!.signal
    instance.kill()
    expect(signal.aborted).toBe(true)
    gateway.calls[0]!.answer('too late')
    await site.start({ topology: gateway.topology })
    await site.until(() => gateway.calls.length === 2)
    expect(gateway.calls[1]!.idempotencyKey).toBe(gateway.calls[0]!.idempotencyKey)
    gateway.calls[1]!.answer('paid')
    await site.until(() => gateway.calls.length === 3)
    expect(gateway.calls[2]!.idempotencyKey).not.toBe(gateway.calls[0]!.idempotencyKey)
    gateway.calls[2]!.answer('paid')
    await site.idle()
    expect(await site.values(receipts)).toEqual(['5 paid after 1', '6 paid after 1'])
  })

  test('of the transaction that stored the request: it is called once', async () => {
    const gateway = new Gateway()
    const {
      site,
      instance: { application },
    } = await openSite(gateway)
    await site.turn(20)
    site.faults.control('commit', () => {
      throw new BrokerError('BROKER_UNKNOWN_OUTCOME', 'lost')
    })
    await site.send(charges, 'k', 5)
    await site.until(() => application.metrics().reopenings === 1)
    expect(gateway.requests).toEqual([])
    await site.until(() => gateway.calls.length === 1)
    gateway.calls[0]!.answer('paid')
    await site.idle()
    expect(gateway.requests).toEqual([5])
    expect(await site.values(receipts)).toEqual(['5 paid after 1'])
  })

  test('an aborted commit of the answer: asked again, emitted once', async () => {
    const gateway = new Gateway()
    const {
      site,
      instance: { application },
    } = await openSite(gateway)
    await site.send(charges, 'k', 5)
    await site.until(() => gateway.calls.length === 1)
    site.faults.control('commit', () => {
      throw new BrokerError('BROKER_UNAVAILABLE', 'down')
    })
    gateway.calls[0]!.answer('paid')
    await site.until(() => application.metrics().reopenings === 1)
    await site.until(() => gateway.calls.length === 2)
    expect(gateway.calls[1]!.idempotencyKey).toBe(gateway.calls[0]!.idempotencyKey)
    gateway.calls[1]!.answer('paid')
    await site.idle()
    expect(await site.values(receipts)).toEqual(['5 paid after 1'])
  })
})

test('an answer whose processing fails is asked for again by the same key', async () => {
  let isBroken = true
  const gateway = new Gateway({}, () => {
    if (isBroken) throw new Error('a bug behind the effect')
  })
  const { site, instance } = await openSite(gateway)
  const { application } = instance
  await site.send(charges, 'k', 5)
  await site.until(() => gateway.calls.length === 1)
  gateway.calls[0]!.answer('paid')
  await site.until(() => application.metrics().reopenings === 1)
  isBroken = false
  await site.until(() => gateway.calls.length === 2)
  gateway.calls[1]!.answer('paid')
  await site.idle()
  expect(new Set(gateway.calls.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1)
  expect(await site.values(receipts)).toEqual(['5 paid after 1'])
})

test('calls of one key are made in order, one at a time; others do not wait', async () => {
  const gateway = new Gateway()
  const { site } = await openSite(gateway)
  for (const cents of [1, 2]) await site.send(charges, 'a', cents)
  for (const cents of [3, 4]) await site.send(charges, 'b', cents)
  await site.until(() => gateway.calls.length === 2)
  await site.turn(20)
  expect(gateway.requests).toEqual([1, 3])
  gateway.calls[0]!.answer('paid')
  await site.until(() => gateway.calls.length === 3)
  expect(gateway.requests).toEqual([1, 3, 2])
})

test('at most maxInFlight calls of a task run at once', async () => {
  const gateway = new Gateway({ maxInFlight: 2 })
  const { site } = await openSite(gateway)
  for (const key of ['a', 'b', 'c', 'd']) await site.send(charges, key, 1)
  await site.turn(40)
  expect(gateway.calls.map(({ key }) => key)).toEqual(['a', 'b'])
  gateway.calls[1]!.answer('paid')
  await site.turn(40)
  expect(gateway.calls.map(({ key }) => key)).toEqual(['a', 'b', 'c'])
})

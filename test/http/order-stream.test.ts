/**
 * Goal: who follows an order sees its versions rise to its end, whatever breaks on the way.
 *
 * Method: a real instance asked with fetch, whose streams are read as they come, dropped, taken up
 * again and cut by a shutdown; and the watch alone over rows that the test changes, for what
 * depends on timing.
 */

import { describe, expect, it, vi } from 'vitest'
import type { OrderRow } from '../../topologies/shop/orders/order-row.ts'
import { OrderStreams, streamsMax } from '../../topologies/shop/http/order-streams.ts'
import { OrderWatch } from '../../topologies/shop/http/order-watch.ts'
import type { Found } from '../../topologies/shop/http/shop-access.ts'
import { sentEvents } from './event-stream.ts'
import { orderOf } from './shop-client.ts'
import { stockedShop } from './stocked-shop.ts'

const client = stockedShop({ mayLeaveDeadLetters: true })
const { call, post } = client

const follow = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${client.instance.address}${path}/stream`, { headers })

const place = async (more: object = {}): Promise<string> =>
  (await post('/api/orders', orderOf(1, more))).headers.get('location')!

const rising = (ids: readonly string[]): boolean =>
  ids.every((id, index) => index === 0 || Number(id) > Number(ids[index - 1]))

describe('the stream of an order', () => {
  it('tells its versions in order, to the end', async () => {
    const path = await place()
    const response = await follow(path)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    const events = await Array.fromAsync(sentEvents(response))
    expect(events.length).toBeGreaterThan(1)
    expect(rising(events.map(({ id }) => id))).toBe(true)
    const { data, id, event } = events.at(-1)!
    expect([data['status'], String(data['version']), event]).toEqual(['completed', id, 'order'])
    expect(data).toEqual((await call(path)).body)
  })

  it('goes on from what was seen, and sends away who saw all', async () => {
    const path = await place({ paymentMethod: 'transfer' })
    const first = await follow(path)
    let seen = 0
    for await (const { id, data } of sentEvents(first)) {
      seen = Number(id)
      if (data['status'] === 'paying') break // drops the connection
    }
    expect((await call(path, { method: 'DELETE' })).status).toBe(202)
    const second = await follow(path, { 'last-event-id': String(seen) })
    const events = await Array.fromAsync(sentEvents(second))
    expect(Number(events[0]!.id)).toBeGreaterThan(seen)
    const { id, data } = events.at(-1)!
    expect(data['status']).toBe('cancelled')
    expect((await follow(path, { 'last-event-id': id })).status).toBe(204)
    const again = await Array.fromAsync(sentEvents(await follow(path)))
    expect(again).toEqual([{ id, event: 'order', data }])
  })

  it('of an order that is not there is refused, as are ids that are none', async () => {
    expect((await call('/api/orders/none/stream')).status).toBe(404)
    const path = await place()
    const headers = { 'last-event-id': 'x' }
    expect((await call(`${path}/stream`, { headers })).status).toBe(400)
    const head = await fetch(`${client.instance.address}${path}/stream`, { method: 'HEAD' })
    expect(head.status).toBe(405) // it would be a stream that nobody reads
  })

  it('is bounded in number, and a client that left makes room', async () => {
    const path = await place({ paymentMethod: 'transfer' })
    const abort = new AbortController()
    const url = `${client.instance.address}${path}/stream`
    const all = await Promise.all(
      Array.from({ length: streamsMax }, () => fetch(url, { signal: abort.signal })),
    )
    expect(all.every(({ status }) => status === 200)).toBe(true)
    const refused = await call(`${path}/stream`)
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1'])
    abort.abort()
    await vi.waitFor(async () => {
      const response = await follow(path)
      await response.body?.cancel()
      expect(response.status).toBe(200)
    }, 5_000)
  })

  it('ends with the server, and goes on at the next one', { timeout: 30_000 }, async () => {
    const path = await place({ paymentMethod: 'transfer' })
    const events = sentEvents(await follow(path))
    let seen = ''
    for (let status: unknown; status !== 'paying';) {
      const { value } = await events.next()
      ;({ id: seen } = value)
      status = value.data['status']
    }
    const rest = Array.fromAsync(events)
    await client.close()
    expect(await rest).toEqual([]) // a clean end, not a reset
    await client.open()
    await call(path, { method: 'DELETE' })
    const ids: string[] = []
    for await (const { id } of sentEvents(await follow(path, { 'last-event-id': seen })))
      ids.push(id)
    expect(rising([seen, ...ids])).toBe(true)
  })
})

describe('the watch of orders', () => {
  const source = { partition: 0, owner: 'o', role: 'active', offsets: [] } as const

  /** Rows that the test changes, and how often they were looked at. */
  const sightOf = (versions: Map<string, number>) => {
    const listeners = new Set<() => void>()
    const sight = {
      looks: 0,
      fails: undefined as unknown,
      listeners,
      findOrder: async (orderId: string): Promise<Found<OrderRow>> => {
        sight.looks += 1
        if (sight.fails !== undefined) throw sight.fails
        const version = versions.get(orderId)
        const row = { orderId, version, lines: [], charges: [], currency: 'EUR', status: 'paying' }
        const dated = { ...row, placedAtMs: 0, createdAtMs: 0 } as unknown as OrderRow
        return { row: version === undefined ? undefined : dated, source }
      },
      onCommit: (listener: () => void) => {
        listeners.add(listener)
        return () => void listeners.delete(listener)
      },
      commit: () => listeners.forEach((listener) => listener()),
    }
    return sight
  }

  it('tells after a commit, once for all who wait, and rests when nobody does', async () => {
    const versions = new Map([['a', 1]])
    const sight = sightOf(versions)
    const watch = new OrderWatch(sight)
    const next = (version: number) => watch.next({ orderId: 'a', version, waitMs: 5_000 })
    expect((await next(0))?.row.version).toBe(1)
    await vi.waitFor(() => expect(sight.listeners.size).toBe(0))
    const waiting = Array.from({ length: 50 }, () => next(1))
    await new Promise((resolve) => setTimeout(resolve, 20))
    const looks = sight.looks
    versions.set('a', 3)
    sight.commit()
    const found = await Promise.all(waiting)
    expect(found.map((order) => order?.row.version)).toEqual(Array(50).fill(3))
    expect(sight.looks).toBe(looks + 1)
    await vi.waitFor(() => expect(sight.listeners.size).toBe(0))
  })

  it('waits while the partition moves, and fails with what else is wrong', async () => {
    const versions = new Map([['a', 1]])
    const sight = sightOf(versions)
    const watch = new OrderWatch(sight)
    sight.fails = Object.assign(new Error('moving'), { code: 'STREAMS_PARTITION_MOVING' })
    const waiting = watch.next({ orderId: 'a', version: 0, waitMs: 5_000 })
    await vi.waitFor(() => expect(sight.looks).toBeGreaterThan(0))
    sight.fails = undefined
    sight.commit()
    expect((await waiting)?.row.version).toBe(1)
    sight.fails = new Error('broken')
    await expect(watch.next({ orderId: 'a', version: 1, waitMs: 5_000 })).rejects.toThrow('broken')
    sight.fails = undefined
    expect(await watch.next({ orderId: 'a', version: 1, waitMs: 30 })).toBeUndefined()
    expect(await watch.next({ orderId: 'a', version: 0, waitMs: 0 })).toBeUndefined()
  })

  it('gives a slow reader the newest version, and comments while nothing changes', async () => {
    const versions = new Map([['a', 1]])
    const streams = new OrderStreams(new OrderWatch(sightOf(versions)), {
      personal: { opened: async (row) => row },
      heartbeatMs: 30,
    })
    const abort = new AbortController()
    const events = streams.events({ orderId: 'a', version: 0 }, abort.signal)
    const read = async (): Promise<string> => (await events.next()).value as string
    expect(await read()).toBe('retry: 1000\n\n')
    expect(await read()).toMatch(/^id: 1\nevent: order\ndata: \{.*\}\n\n$/)
    expect(await read()).toMatch(/^: .*\n\n$/)
    for (const version of [2, 3, 4]) versions.set('a', version)
    expect(await read()).toMatch(/^id: 4\n/)
    abort.abort()
    expect((await events.next()).done).toBe(true)
  })
})

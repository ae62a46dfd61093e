/**
 * Goal: answers while the shop is behind: what is durable is known, what cannot be known is 503.
 *
 * Method: the real routes over the real log and stores of an instance that was closed, so that
 * commands are written and nobody processes them. Every answer is as the OpenAPI document says.
 */

import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LocalShop } from '../../src/cli/local-shop.ts'
import { createHttpServer } from '../../src/http/http-server.ts'
import { silentLogger } from '../../src/logger.ts'
import { shopRoutes } from '../../topologies/shop/http/shop-routes.ts'
import { check, orderOf, ShopClient } from './shop-client.ts'

const client = new ShopClient()

beforeAll(async () => {
  await client.open()
  await client.close()
}, 30_000)

afterAll(() => client.remove())

const withServer = (use: (server: FastifyInstance) => Promise<void>): Promise<void> =>
  client.whileClosed(async (shop) => {
    const server = createHttpServer({
      health: () => ({ isLive: true, isReady: true }),
      metrics: async () => '',
      logger: silentLogger,
    })
    const undeclared: unknown[] = []
    let checked = 0
    server.addHook('onSend', async ({ method, url }, reply, payload) => {
      const headers = new Map(Object.entries(reply.getHeaders()).map(([k, v]) => [k, String(v)]))
      const text = String(payload ?? '')
      try {
        checked += 1
        check.check(method, url, { status: reply.statusCode, headers, text })
      } catch (error) {
        undeclared.push(error)
      }
    })
    shopRoutes(server, shop as LocalShop)
    try {
      await use(server)
      expect([undeclared, checked > 0]).toEqual([[], true])
    } finally {
      await server.close()
    }
  })

describe('a shop that is behind', () => {
  it('knows what it accepted, and says so where it cannot know', { timeout: 30_000 }, async () => {
    await withServer(async (server) => {
      const before = await server.inject('/api/orders/unknown')
      expect(before.statusCode).toBe(404)
      const payload = orderOf(1, { orderId: 'o-1' })
      const placed = await server.inject({ method: 'POST', url: '/api/orders?wait=50', payload })
      expect(placed.statusCode).toBe(202)
      const seen = await server.inject('/api/orders/o-1')
      expect([seen.statusCode, seen.json()]).toEqual([200, { orderId: 'o-1', status: 'received' }])
      expect((await server.inject('/api/orders/o-1/history')).json()).toEqual({ events: [] })
      const other = { ...payload, notes: 'another' }
      const refused = await server.inject({ method: 'POST', url: '/api/orders', payload: other })
      expect(refused.statusCode).toBe(409)
      const cancelled = await server.inject({ method: 'DELETE', url: '/api/orders/o-1' })
      expect(cancelled.statusCode).toBe(202)
      const stock = await server.inject({
        method: 'PUT',
        url: '/api/inventory/tea?wait=50',
        payload: { operation: 'ADD', quantity: 1 },
      })
      expect(stock.statusCode).toBe(202)
      expect(stock.headers.location).toBe(
        `/api/inventory/tea/updates/${stock.json<{ updateId: string }>().updateId}`,
      )
    })
    await withServer(async (server) => {
      for (const method of ['GET', 'DELETE'] as const) {
        const behind = await server.inject({ method, url: '/api/orders/o-1' })
        expect([behind.statusCode, behind.headers['retry-after']]).toEqual([503, '1'])
      }
    })
    await client.open()
    const { body } = await client.eventually(
      '/api/orders/o-1',
      (answer) => answer.body['status'] === 'cancelled',
    )
    expect(body).toMatchObject({ reason: 'customer' })
    await client.close()
    expect(client.deadLetters).toBe(0)
  })
})

/**
 * Goal: the steps of `scripts/walk-shop.mjs` are what the shop answers, and a shop that answers
 * otherwise is noticed.
 *
 * Method: the whole walk over HTTP at one instance on the embedded broker. That each event is on
 * its topic is shown by the script itself, on Kafka.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Step } from '../../scripts/walk-shop/step.ts'
import { type Chapter, shopChapters } from '../../scripts/walk-shop/steps/shop-chapters.ts'
import { type Taken, walk } from '../../scripts/walk-shop/walk.ts'
import { shopApiText } from '../../src/cli/shop-server.ts'
import type { OpenApiDocument } from '../../src/http/openapi/openapi-document.ts'
import { ShopClient } from '../http/shop-client.ts'

const client = new ShopClient({ carrierMode: 'manual' })

beforeAll(() => client.open(), 30_000)

afterAll(async () => {
  await client.close()
  client.remove()
  expect(client.deadLetters).toBe(0)
})

const walkAt = (
  { instance: { address } }: ShopClient,
  steps: readonly Step[],
  patienceMs: number,
): Promise<readonly Taken[]> =>
  walk(steps, {
    addresses: [address, address],
    run: 'walk',
    signal: new AbortController().signal,
    patienceMs,
  })

const walkHere = (steps: readonly Step[], patienceMs: number): Promise<readonly Taken[]> =>
  walkAt(client, steps, patienceMs)

const [first, second] = shopChapters as readonly [Chapter, Chapter]
const shopSteps = shopChapters.flatMap(({ steps }) => steps)

const told = ({ step, verdict, reason }: Taken): string =>
  `${step.row}, ${step.what}: ${verdict} ${reason ?? ''}`.trim()

describe('the walk', () => {
  it('goes well in this shop', async () => {
    const taken = await walkHere(first.steps, 20_000)
    expect(taken).toHaveLength(first.steps.length)
    expect(taken.filter(({ verdict }) => verdict !== 'ok').map(told)).toEqual([])
  }, 60_000)

  it('goes well with backorders', async () => {
    expect(second.flags).toEqual(['--backorders', 'on'])
    const parts = new ShopClient({ carrierMode: 'manual', backorders: 'on' })
    try {
      await parts.open()
      const taken = await walkAt(parts, second.steps, 20_000)
      expect(taken.filter(({ verdict }) => verdict !== 'ok').map(told)).toEqual([])
    } finally {
      await parts.close()
      parts.remove()
    }
    expect(parts.deadLetters).toBe(0)
  }, 60_000)

  it('takes every call of the API', async () => {
    const document = JSON.parse(await shopApiText()) as OpenApiDocument
    const isTaken = (method: string, path: string): boolean => {
      const pattern = new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`)
      return shopSteps.some(
        (step) =>
          step.method === method.toUpperCase() && pattern.test(step.path.replace(/\?.*$/, '')),
      )
    }
    const calls = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => [method, path] as const),
    )
    expect(calls.length).toBeGreaterThan(30)
    expect(calls.filter(([method, path]) => !isTaken(method, path))).toEqual([])
  })

  it('has a key wherever it may ask again', () => {
    const bare = shopSteps.filter(
      ({ row, path, headers }) =>
        path.includes('?wait=')
        && headers?.['idempotency-key'] === undefined
        && !['POST /api/orders', 'POST /api/shipments'].includes(row),
    )
    expect(bare.map(({ row, what }) => `${row}: ${what}`)).toEqual([])
  })

  const look: Step = {
    row: 'GET /api/inventory/{productId}',
    what: 'look',
    method: 'GET',
    path: '/api/inventory/{run}-tea',
    status: [200],
  }

  it.each<[string, Partial<Step>, string, RegExp | undefined]>([
    ['as it should be', {}, 'ok', undefined],
    ['another status', { status: [404] }, 'FAILED', /^200 .* not 404$/],
    ['another body', { shows: { onHand: 1 } }, 'FAILED', /^onHand is \d+, not 1$/],
    ['no such field', { shows: { colour: /./ } }, 'FAILED', /^colour is absent/],
    ['another header', { answerHeaders: { etag: 'x' } }, 'FAILED', /^etag is /],
    ['nothing to keep', { keeps: { colour: 'colour' } }, 'FAILED', /has no colour/],
    ['never', { isEventual: true, shows: { onHand: 1 } }, 'FAILED', /^onHand is/],
    ['an unknown name', { path: '/api/{nobody}' }, 'FAILED', /'nobody' is not known/],
    ['no route', { path: '/api/nowhere' }, 'missing', undefined],
    ['no such method', { method: 'DELETE' }, 'missing', undefined],
    ['no product', { path: '/api/inventory/none' }, 'FAILED', /^404/],
  ])('says of %s what it is', async (_name, more, verdict, reason) => {
    const [taken] = await walkHere([{ ...look, ...more }], 200)
    expect(taken?.verdict).toBe(verdict)
    if (reason === undefined) expect(taken).not.toHaveProperty('reason')
    else expect(taken?.reason).toMatch(reason)
  })

  it('takes what needs a missing route for missing too', async () => {
    const first = { ...look, path: '/api/nowhere', keeps: { it: 'id' } }
    const taken = await walkHere([first, { ...look, path: '/api/inventory/{it}' }], 200)
    expect(taken.map(({ verdict }) => verdict)).toEqual(['missing', 'missing'])
  })
})

/** A shop with tea for the tests of one file: opened before the first, removed after the last. */

import { afterAll, beforeAll, expect } from 'vitest'
import type { FlagValues } from '../../src/config/settings.ts'
import { ShopClient } from './shop-client.ts'

export interface StockedShopOptions {
  /** Beyond those every such shop has. */
  readonly flags?: FlagValues
  /** What these tests send may end there; else none is left. */
  readonly mayLeaveDeadLetters?: boolean
}

export const stockedShop = ({
  flags = {},
  mayLeaveDeadLetters = false,
}: StockedShopOptions = {}): ShopClient => {
  const client = new ShopClient(flags)
  beforeAll(async () => {
    await client.open()
    await client.put('/api/inventory/tea', { operation: 'ADD', quantity: 1000 })
  }, 30_000)
  afterAll(async () => {
    await client.close()
    client.remove()
    if (!mayLeaveDeadLetters) expect(client.deadLetters).toBe(0)
  })
  return client
}

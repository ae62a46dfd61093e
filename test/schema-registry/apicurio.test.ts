/** Goal: what holds on the built-in registry holds on a real one, Apicurio with Confluent's API. */

import { describe, onTestFinished, test } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { HttpRegistry } from '../../src/schema-registry/http-registry.ts'
import { registryContract } from '../contract/registry-contract.ts'
import { realRegistry } from './real-registry.ts'

const real = await realRegistry()

if ('skipped' in real) {
  describe('registry contract: Apicurio', () => test.skip(real.skipped, () => {}))
} else {
  registryContract(`Apicurio ${real.version}`, async () => {
    const registry = new HttpRegistry({ url: real.url, clock: systemClock, timeoutMs: 30_000 })
    onTestFinished(() => registry.close())
    return registry
  })
}

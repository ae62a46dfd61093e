/**
 * A built-in registry on a broker of its own, in memory, and its HTTP face: what tests talk to.
 *
 * `answer` may be set to stand between: a registry that is away, slow or wrong.
 */

import fastify, { type FastifyInstance } from 'fastify'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import { MemoryDisk } from '../../state/memory/memory-disk.ts'
import { MemoryEngine } from '../../state/memory/memory-engine.ts'
import { EmbeddedBroker } from '../../src/broker/embedded/embedded-broker.ts'
import { systemClock } from '../../src/clock.ts'
import { schemaRoutes } from '../../src/http/schema-routes.ts'
import { BuiltInRegistry } from '../../src/schema-registry/built-in-registry.ts'
import { HttpRegistry, type RegistryAuth } from '../../src/schema-registry/http-registry.ts'

export interface MadeUpAnswer {
  readonly status: number
  readonly body?: string
}

export interface SeenRequest {
  readonly method: string
  readonly url: string
  readonly authorization: string | undefined
}

export class ServedRegistry {
  readonly registry: BuiltInRegistry
  readonly url: string
  readonly seen: SeenRequest[] = []
  /** Instead of the registry; `silent` never answers. */
  answer: (() => MadeUpAnswer | 'silent' | undefined) | undefined
  readonly #server: FastifyInstance

  private constructor(registry: BuiltInRegistry, server: FastifyInstance, url: string) {
    this.registry = registry
    this.#server = server
    this.url = url
  }

  static async open(): Promise<ServedRegistry> {
    const registry = await BuiltInRegistry.open(await memoryBroker(), systemClock)
    const server = fastify({ forceCloseConnections: true })
    const holder: { served?: ServedRegistry } = {}
    server.addHook('onRequest', async (request, reply) => {
      const { method, url } = request
      const { authorization } = request.headers
      holder.served!.seen.push({ method, url, authorization })
      const made = holder.served!.answer?.()
      if (made === undefined) return
      if (made === 'silent') return new Promise(() => {})
      return reply.code(made.status).send(made.body ?? '')
    })
    await server.register(async (scope) => schemaRoutes(scope, registry), { prefix: '/registry' })
    await server.listen({ host: '127.0.0.1', port: 0 })
    const { port } = server.server.address() as AddressInfo
    const served = new ServedRegistry(registry, server, `http://127.0.0.1:${port}/registry`)
    holder.served = served
    onTestFinished(() => served.close())
    return served
  }

  client(options: { auth?: RegistryAuth; attemptsMax?: number } = {}): HttpRegistry {
    const client = new HttpRegistry({
      url: this.url,
      clock: systemClock,
      timeoutMs: 300,
      backoffMs: 1,
      ...options,
    })
    onTestFinished(() => client.close())
    return client
  }

  async close(): Promise<void> {
    await this.#server.close()
  }
}

export const memoryBroker = (disk = new MemoryDisk()): Promise<EmbeddedBroker> =>
  EmbeddedBroker.open({ engine: MemoryEngine.create(disk), clock: systemClock })

/** The other side of an external call: it writes every call down and answers when it is told to. */

import {
  effect,
  type EffectContext,
  type EffectOptions,
  json,
  mapValues,
  outboxStore,
  stream,
  to,
  topic,
  topology,
  type Topology,
  utf8,
} from '../../src/index.ts'
import { Site } from './fixture.ts'
import type { Instance } from './instance.ts'

export const charges = topic('charges', { key: utf8, value: json<number>() })
export const receipts = topic('receipts', { key: utf8, value: utf8 })
const outbox = outboxStore('outbox', { key: utf8, value: json<number>() })

export interface GatewayCall extends EffectContext<string> {
  readonly request: number
  readonly answer: (value: string) => void
  readonly fail: () => void
}

export class Gateway {
  readonly calls: GatewayCall[] = []
  readonly topology: Topology

  /** @param onResult  runs behind the effect, for each of its results */
  constructor(options: EffectOptions<string, number> = {}, onResult: () => void = () => {}) {
    this.topology = topology('charging', () => [
      stream(charges).pipe(
        effect(outbox, (request, context) => this.#call(request, context), options),
        mapValues((result) => {
          onResult()
          return result.kind === 'done'
            ? `${result.request} ${result.value} after ${result.attempts}`
            : `${result.request} unknown: ${result.error}`
        }),
        to(receipts),
      ),
    ])
  }

  #call(request: number, context: EffectContext<string>): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    const fail = (): void => reject(new Error('no line'))
    this.calls.push({ ...context, request, answer: resolve, fail })
    return promise
  }

  get requests(): readonly number[] {
    return this.calls.map(({ request }) => request)
  }
}

export const openSite = async (
  gateway: Gateway,
): Promise<{ readonly site: Site; readonly instance: Instance }> => {
  const site = await Site.open()
  await site.createTopics([charges, receipts])
  return { site, instance: await site.start({ topology: gateway.topology }) }
}

/** One request to a replica, asked again while the shop says that it cannot answer now. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Step } from './step.ts'

export interface Answer {
  readonly status: number
  readonly headers: Headers
  /** `{ text }` if it is no JSON. */
  readonly body: Readonly<Record<string, unknown>>
}

export interface AskOptions {
  /** Of the whole walk; asking stops. */
  readonly signal: AbortSignal
  /** How long 503 is asked again. */
  readonly patienceMs: number
}

const againMs = 250

/**
 * Who answers 503 has not followed the request, or says that it may be repeated: every step may.
 *
 * @throws  the connection failed, or `signal` fired
 */
export const ask = async (
  address: string,
  step: Step,
  { signal, patienceMs }: AskOptions,
): Promise<Answer> => {
  const endMs = performance.now() + patienceMs
  for (;;) {
    const answer = await askOnce(address, step, AbortSignal.any([signal, timeout(patienceMs)]))
    if (answer.status !== 503 || performance.now() > endMs) return answer
    await sleep(againMs, undefined, { signal })
  }
}

const timeout = (patienceMs: number): AbortSignal => AbortSignal.timeout(patienceMs)

const askOnce = async (address: string, step: Step, signal: AbortSignal): Promise<Answer> => {
  const { method, path, headers = {}, body } = step
  const response = await fetch(address + path, {
    method,
    signal,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '')
  return {
    status: response.status,
    headers: response.headers,
    body: isJson ? (JSON.parse(text) as Answer['body']) : { text },
  }
}

/**
 * Takes every step, at one replica after the other, and says what became of each.
 *
 * Called by `main.ts` on Kafka and by its test on an embedded shop. 1. Steps are taken in order,
 * one at a time; reads are asked at every replica, of which at most one owns the row. 2. A route
 * that the shop does not have makes a step `missing`; any other difference makes it `FAILED`. 3. A
 * step that needs what a missing route would have told is missing too. 4. Nothing is known of Kafka
 * here: events are looked for afterwards.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { ask, type Answer } from './ask.ts'
import { fillIn, namesIn, UnknownFactError } from './fill-in.ts'
import { mismatchOf } from './mismatch-of.ts'
import type { Step } from './step.ts'

export type Verdict = 'ok' | 'missing' | 'FAILED'

/** One answer. */
export interface Asked {
  /** Which of the addresses, from 0. */
  readonly replica: number
  readonly status: number
  /** The instance that has the row, as the answer names it; only reads of one row do. */
  readonly owner: string | undefined
}

/** How one step went. */
export interface Taken {
  /** As it was asked, its events with their ids; the plan, if it could not be. */
  readonly step: Step
  readonly asked: readonly Asked[]
  readonly verdict: Verdict
  readonly reason?: string
}

export interface WalkOptions {
  readonly addresses: readonly string[]
  /** New in every walk; all ids begin with it. */
  readonly run: string
  readonly signal: AbortSignal
  /** Longest wait for an effect, or for an answer that is not 503. */
  readonly patienceMs: number
  /** Called before each. */
  readonly tell?: (step: Step) => void
}

const againMs = 100

export const walk = async (
  steps: readonly Step[],
  options: WalkOptions,
): Promise<readonly Taken[]> => {
  const facts = new Map([['run', options.run]])
  /** What missing routes would have told. */
  const missing = new Set<string>()
  const taken: Taken[] = []
  for (const [index, step] of steps.entries()) {
    const replicas = options.addresses.map((_address, replica) => replica)
    const asked = step.method === 'GET' ? replicas : [index % replicas.length]
    const one = await take(step, { facts, missing, replicas: asked, options })
    taken.push(one)
    if (one.verdict !== 'missing') continue
    for (const fact of Object.keys(step.keeps ?? {})) missing.add(fact)
  }
  return taken
}

interface Place {
  readonly facts: Map<string, string>
  readonly missing: ReadonlySet<string>
  readonly replicas: readonly number[]
  readonly options: WalkOptions
}

const take = async (given: Step, place: Place): Promise<Taken> => {
  const { facts, missing, replicas, options } = place
  const { row, what, keeps, events = [], ...rest } = given
  if (namesIn(rest).some((fact) => missing.has(fact))) {
    const reason = 'needs an answer of a missing route'
    return { step: given, asked: [], verdict: 'missing', reason }
  }
  const asked: Asked[] = []
  try {
    const step = { row, what, ...fillIn(rest, facts) }
    options.tell?.(step)
    for (const replica of replicas) {
      const answer = await asExpected(step, options.addresses[replica]!, options)
      const owner = answer.headers.get('millrace-owner') ?? undefined
      asked.push({ replica, status: answer.status, owner })
      if (isNoRoute(step, answer)) return { step, asked, verdict: 'missing' }
      const reason = wrongIn(step, answer) ?? keep(answer, keeps, facts)
      if (reason !== undefined) return { step, asked, verdict: 'FAILED', reason }
    }
    // what this very answer told may name its events
    return { step: { ...step, events: fillIn(events, facts) }, asked, verdict: 'ok' }
  } catch (error) {
    options.signal.throwIfAborted()
    const reason =
      error instanceof UnknownFactError ? error.message : `no answer: ${reasonOf(error)}`
    return { step: given, asked, verdict: 'FAILED', reason }
  }
}

/** The last answer, if none was as expected in time. */
const asExpected = async (step: Step, address: string, options: WalkOptions): Promise<Answer> => {
  const endMs = performance.now() + options.patienceMs
  for (;;) {
    const answer = await ask(address, step, options)
    const isDone = !isAskedAgain(step, answer) || isNoRoute(step, answer)
    if (isDone || performance.now() > endMs) return answer
    await sleep(againMs, undefined, { signal: options.signal })
  }
}

/** An accepted command that is not decided in time has a key: asked again it is still one. */
const isAskedAgain = (step: Step, answer: Answer): boolean =>
  answer.status === 202
    ? !step.status.includes(202)
    : step.isEventual === true && wrongIn(step, answer) !== undefined

/** Of a path nobody serves, or not with this method; "no such order" is another matter. */
const isNoRoute = ({ path }: Step, { status, body }: Answer): boolean =>
  status === 405 || (status === 404 && body['detail'] === `There is no ${path.split('?')[0]}.`)

const wrongIn = (step: Step, { status, headers, body }: Answer): string | undefined => {
  if (!step.status.includes(status)) {
    return `${status} ${JSON.stringify(body)}, not ${step.status.join(' or ')}`
  }
  const wrongBody = mismatchOf(body, step.shows ?? {})
  if (wrongBody !== undefined) return wrongBody
  return mismatchOf(Object.fromEntries(headers), step.answerHeaders ?? {})
}

/** @returns  what was to be kept and is not there */
const keep = (
  { headers, body }: Answer,
  keeps: Step['keeps'] = {},
  facts: Map<string, string>,
): string | undefined => {
  for (const [fact, place] of Object.entries(keeps)) {
    const value = place.startsWith('header:')
      ? headers.get(place.slice('header:'.length))
      : place.split('.').reduce<unknown>(fieldOf, body)
    if (typeof value !== 'string' || value === '') return `the answer has no ${place}`
    facts.set(fact, value)
  }
  return undefined
}

const fieldOf = (value: unknown, field: string): unknown =>
  typeof value === 'object' && value !== null
    ? (value as Record<string, unknown>)[field]
    : undefined

const reasonOf = (error: unknown): string => {
  const { message, cause } = error as Error
  return cause instanceof Error ? `${message} (${cause.message})` : message
}

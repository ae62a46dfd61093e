/**
 * What `/api/analytics/…` may be asked: a span of whole windows, and what to pick.
 *
 * Names of parameters are checked by the route's schema, values here, all of them, so that a caller
 * sees every mistake at once. Spans are bounded: an answer is made in memory.
 */

import { type TOptional, type TString, Type } from 'typebox'
import type { FigureFilter, FigureRange } from '../analytics/read-figures.ts'
import { type Granularity, windowMsOf } from '../analytics/stores.ts'
import { isTime } from '../shared/is-time.ts'
import { isCurrency } from '../shared/money.ts'
import { nearestField } from '../shared/nearest-field.ts'
import { idLengthMax } from '../shared/order-limits.ts'
import { textProblem } from '../shared/text-problem.ts'
import { RouteProblem, type RouteProblemPlace } from './route-problem.ts'

/** Windows in one answer at most: a day of minutes and a bit, two months of hours. */
export const windowsMax = 1_500

const windowsDefault: Readonly<Record<Granularity, number>> = { minute: 60, hour: 24 }

export type FilterName = 'currency' | 'method' | 'carrier'

export interface SpanQuery {
  readonly from?: string
  readonly to?: string
  readonly granularity?: string
}

export interface FigureQuery extends SpanQuery, Readonly<Partial<Record<FilterName, string>>> {
  /** Whose stock is listed. */
  readonly products?: string
}

export interface FigureRequest {
  readonly range: FigureRange
  readonly filter: FigureFilter
  readonly products: 'all' | 'low'
}

/** Told here, checked below. */
const described: Readonly<Record<keyof FigureQuery, string>> = {
  from: 'ISO-8601; the first window has it in it. Default: 60 minutes or 24 hours earlier.',
  to: 'ISO-8601; the last window ends then, or has it in it. Default now.',
  granularity: 'minute or hour. Default minute.',
  currency: 'Only this one, of ISO 4217.',
  method: 'Only this one: card or transfer.',
  carrier: 'Only this one, by its name.',
  products: 'all, or those that are low. Default all.',
}

const ofSpan = ['granularity', 'to', 'from'] as const

const text = (name: keyof FigureQuery): TOptional<TString> =>
  Type.Optional(Type.String({ description: described[name] }))

/** Of a route that can be filtered by these. */
export const figureQuerySchema = (filters: readonly (keyof FigureQuery)[], more: object = {}) => {
  const names = [...ofSpan, ...filters]
  const texts = Object.fromEntries(names.map((name) => [name, text(name)]))
  return Type.Object({ ...texts, ...more }, { additionalProperties: false })
}

/** @throws {RouteProblem} 400, with every place */
export const parseFigureQuery = (query: FigureQuery, nowMs: number): FigureRequest => {
  const problems: RouteProblemPlace[] = []
  const tell = (name: string, detail: string | undefined): void => {
    if (detail !== undefined) problems.push({ pointer: `?${name}`, detail })
  }
  const { granularity = 'minute', products = 'all', currency, method, carrier } = query
  tell('granularity', choiceProblem(granularity, ['minute', 'hour']))
  tell('products', choiceProblem(products, ['all', 'low']))
  if (method !== undefined) tell('method', choiceProblem(method, ['card', 'transfer']))
  if (currency !== undefined && !isCurrency(currency)) {
    tell('currency', 'must be an ISO-4217 code')
  }
  if (carrier !== undefined) tell('carrier', textProblem(carrier, idLengthMax))
  tell('from', timeProblem(query.from))
  tell('to', timeProblem(query.to))
  const range =
    problems.length === 0 ? rangeOf(query, granularity as Granularity, nowMs) : undefined
  if (range !== undefined) tell('from', rangeProblem(range))
  if (range === undefined || problems.length > 0) {
    throw new RouteProblem(400, 'The request does not match its schema.', problems)
  }
  const filter = { currency, method, carrier }
  return { range, filter, products: products as FigureRequest['products'] }
}

const choiceProblem = (value: string, choices: readonly string[]): string | undefined =>
  choices.includes(value)
    ? undefined
    : `must be ${choices.join(' or ')}; the nearest is ${nearestField(value, choices)}`

const timeProblem = (value: string | undefined): string | undefined =>
  value === undefined || isTime(value)
    ? undefined
    : 'must be an ISO-8601 date, or time with its offset, that exists'

/** Windows that lie in the span with a part of them, too. */
const rangeOf = ({ from, to }: SpanQuery, granularity: Granularity, nowMs: number): FigureRange => {
  const windowMs = windowMsOf[granularity]
  const toMs = Math.ceil((to === undefined ? nowMs + 1 : Date.parse(to)) / windowMs) * windowMs
  const fromMs =
    from === undefined
      ? Math.max(0, toMs - windowsDefault[granularity] * windowMs)
      : Math.floor(Date.parse(from) / windowMs) * windowMs
  return { granularity, fromMs, toMs }
}

const rangeProblem = ({ granularity, fromMs, toMs }: FigureRange): string | undefined => {
  if (fromMs < 0) return 'must not lie before 1970'
  if (fromMs >= toMs) return 'must lie before the end, which is now if there is no `to`'
  const windows = (toMs - fromMs) / windowMsOf[granularity]
  if (windows <= windowsMax) return undefined
  return `is ${windows} windows before the end, at most ${windowsMax} are told at once`
}

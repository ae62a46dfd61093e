/**
 * The file of `--carriers`: names of carriers, and rules for who takes what.
 *
 * Read once, before anything is opened. Every mistake is told with its place: a rule with a
 * misspelt condition would match everything.
 */

import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'
import { formatMinor, isCurrency, parseMinor } from '../../topologies/shop/shared/money.ts'
import type { CarrierConfig } from '../../topologies/shop/shared/config.ts'
import type { CarrierRule } from '../../topologies/shop/shipments/carrier-strategy.ts'
import { parseDurationMs } from '../config/duration.ts'
import { parseJson } from '../config/parse-json.ts'
import { UsageError } from '../config/usage-error.ts'
import { flagFile } from './flag-file.ts'

const name = Type.String({ minLength: 1, maxLength: 100 })
const units = Type.Integer({ minimum: 1 })
const strict = { additionalProperties: false }

const ruleSchema = Type.Object(
  {
    carrier: name,
    countries: Type.Optional(Type.Array(Type.String({ pattern: '^[A-Z]{2}$' }), { minItems: 1 })),
    unitsMin: Type.Optional(units),
    unitsMax: Type.Optional(units),
    currency: Type.Optional(Type.String()),
    valueMin: Type.Optional(Type.String()),
    valueMax: Type.Optional(Type.String()),
    deliverAfter: Type.Optional(Type.String()),
  },
  strict,
)

const fileSchema = Type.Object(
  {
    carriers: Type.Optional(Type.Array(name, { minItems: 1 })),
    rules: Type.Optional(Type.Array(ruleSchema)),
  },
  strict,
)

/** @throws {UsageError} names the file and the first place that is wrong */
export const carriersIn = (path: string): Partial<Pick<CarrierConfig, 'carriers' | 'rules'>> => {
  const wrong = (what: string): UsageError => new UsageError(`--carriers ${path}: ${what}`)
  const file = parseJson(flagFile('--carriers', path).toString(), wrong)
  if (!Value.Check(fileSchema, file)) {
    const [first] = Value.Errors(fileSchema, file)
    throw wrong(`${first?.instancePath || 'the file'} ${first?.message ?? 'cannot be'}`)
  }
  const { carriers, rules } = file
  return {
    ...(carriers !== undefined && { carriers }),
    ...(rules !== undefined && {
      rules: rules.map((rule, index) => {
        try {
          return ruleOf(rule)
        } catch (error) {
          throw wrong(`/rules/${index}: ${(error as Error).message}`)
        }
      }),
    }),
  }
}

/** @throws {Error} an amount or a duration that is none, bounds that nothing fits between */
const ruleOf = (rule: Static<typeof ruleSchema>): CarrierRule => {
  const { carrier, countries, unitsMin, unitsMax, deliverAfter } = rule
  const value = valueOf(rule)
  if ((unitsMin ?? 1) > (unitsMax ?? Infinity)) throw new Error('unitsMin is above unitsMax')
  const deliverAfterMs = deliverAfter === undefined ? undefined : parseDurationMs(deliverAfter)
  if (deliverAfter !== undefined && deliverAfterMs === undefined) {
    throw new Error(`deliverAfter: ${JSON.stringify(deliverAfter)} is not a duration such as 2d`)
  }
  return {
    carrier,
    ...(countries !== undefined && { countries }),
    ...(unitsMin !== undefined && { unitsMin }),
    ...(unitsMax !== undefined && { unitsMax }),
    ...(value !== undefined && { value }),
    ...(deliverAfterMs !== undefined && { deliverAfterMs }),
  }
}

const valueOf = ({
  currency,
  valueMin,
  valueMax,
}: Static<typeof ruleSchema>): CarrierRule['value'] => {
  if (valueMin === undefined && valueMax === undefined) {
    if (currency === undefined) return undefined
    throw new Error('currency says nothing without valueMin or valueMax')
  }
  if (currency === undefined || !isCurrency(currency)) {
    throw new Error('valueMin and valueMax need a currency of ISO-4217')
  }
  const minMinor = valueMin === undefined ? undefined : parseMinor(valueMin, currency)
  const maxMinor = valueMax === undefined ? undefined : parseMinor(valueMax, currency)
  if ((minMinor ?? 0) > (maxMinor ?? Infinity)) {
    throw new Error(`valueMin ${formatMinor(minMinor ?? 0, currency)} is above valueMax`)
  }
  return {
    currency,
    ...(minMinor !== undefined && { minMinor }),
    ...(maxMinor !== undefined && { maxMinor }),
  }
}

/**
 * Collects what is wrong with a request body: every place, not only the first.
 *
 * Made for one body, by the `…-request.ts` of this folder. Unknown fields are problems: a
 * misspelt one must not be lost in silence.
 */

import { parseMinor } from './money.ts'
import { nearestField } from './nearest-field.ts'
import { textProblem } from './text-problem.ts'

export interface RequestProblem {
  /** JSON pointer into the body. */
  readonly pointer: string
  readonly detail: string
}

export type JsonObject = Readonly<Record<string, unknown>>

export class RequestProblems {
  readonly found: RequestProblem[] = []

  tell(pointer: string, detail: string): void {
    this.found.push({ pointer, detail })
  }

  /** @returns the value if it is an object, which is told if not */
  object(value: unknown, pointer: string): JsonObject | undefined {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as JsonObject
    }
    this.tell(pointer, 'must be a JSON object')
    return undefined
  }

  /** @param at  pointer of the object */
  unknownFields(object: JsonObject, known: readonly string[], at = ''): void {
    for (const field of Object.keys(object)) {
      if (known.includes(field)) continue
      const pointer = `${at}/${field.replaceAll('~', '~0').replaceAll('/', '~1')}`
      this.tell(pointer, `is not a known field; the nearest is ${nearestField(field, known)}`)
    }
  }

  text(value: unknown, pointer: string, lengthMax: number): void {
    const problem = textProblem(value, lengthMax)
    if (problem !== undefined) this.tell(pointer, problem)
  }

  count(value: unknown, pointer: string, { min, max }: { min: number; max: number }): void {
    if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max) return
    this.tell(pointer, `must be a whole number from ${min} to ${max}`)
  }

  /** @returns minor units; 0 if it is told */
  amount(value: unknown, pointer: string, currency: string): number {
    if (typeof value !== 'string' && typeof value !== 'number') {
      this.tell(pointer, 'must be a decimal string or number')
      return 0
    }
    try {
      const minor = parseMinor(value, currency)
      if (minor >= 0) return minor
      this.tell(pointer, 'must not be negative')
    } catch (error) {
      this.tell(pointer, (error as Error).message)
    }
    return 0
  }

  oneOf(value: unknown, pointer: string, allowed: readonly string[]): void {
    if (allowed.includes(value as string)) return
    this.tell(pointer, `must be ${allowed.slice(0, -1).join(', ')} or ${allowed.at(-1)}`)
  }
}

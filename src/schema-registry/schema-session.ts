/**
 * What a running instance knows of its registry: schemas by id, looked up once and kept.
 *
 * Given to the serdes when they are opened; asked synchronously while records are decoded. 1. A
 * schema never changes, so it is kept for ever; that there is none is believed for a while only.
 * 2. Whoever asks for what is asked for already gets the same answer. 3. Failures are not kept.
 */

import type { Clock } from '../clock.ts'
import { SchemaRegistryError } from './errors.ts'
import { registerEvolved } from './evolution.ts'
import type { SchemaRef, SchemaRegistry } from './port.ts'

export interface SchemaSessionOptions {
  readonly registry: SchemaRegistry
  readonly clock: Clock
  /** Register what is written and is not there; else it must be there. Default false. */
  readonly registers?: boolean
  /** Serdes that have another format write that one, and read both. Default false. */
  readonly isReadOnly?: boolean
}

export type KnownSchema = { readonly schema: string } | { readonly unknown: string }

const unknownForMs = 10_000

export class SchemaSession {
  readonly registry: SchemaRegistry
  readonly registers: boolean
  readonly isReadOnly: boolean
  readonly #clock: Clock
  readonly #schemas = new Map<SchemaRef, { readonly schema: string }>()
  readonly #unknown = new Map<SchemaRef, { readonly unknown: string; readonly untilMs: number }>()
  readonly #asked = new Map<SchemaRef, Promise<void>>()
  readonly #ids = new Map<string, Promise<number>>()

  constructor({ registry, clock, registers = false, isReadOnly = false }: SchemaSessionOptions) {
    this.registry = registry
    this.registers = registers
    this.isReadOnly = isReadOnly
    this.#clock = clock
  }

  /** Undefined if the registry must be asked. */
  known(ref: SchemaRef): KnownSchema | undefined {
    return this.#schemas.get(ref) ?? this.#unknown.get(ref)
  }

  /** As `known`, but for what was unknown some time ago. */
  isFresh(ref: SchemaRef): boolean {
    if (this.#schemas.has(ref)) return true
    const unknown = this.#unknown.get(ref)
    return unknown !== undefined && this.#clock.monotonicMs() < unknown.untilMs
  }

  /**
   * Looks a schema up; `known` has it afterwards, or that there is none.
   *
   * @throws {SchemaRegistryError} not now: ask again
   */
  ask(ref: SchemaRef): Promise<void> {
    return single(this.#asked, ref, () => this.#ask(ref), 'pending')
  }

  /**
   * The id under which a schema is written, registered if this session does that.
   *
   * @throws {SchemaRegistryError} SCHEMA_NOT_REGISTERED, SCHEMA_INCOMPATIBLE: stop
   */
  writerId(subject: string, schema: string): Promise<number> {
    return single(this.#ids, `${subject}\n${schema}`, () => this.#writerId(subject, schema))
  }

  async #ask(ref: SchemaRef): Promise<void> {
    try {
      this.#schemas.set(ref, { schema: await this.registry.schema(ref) })
      this.#unknown.delete(ref)
    } catch (error) {
      if (!(error instanceof SchemaRegistryError) || error.code !== 'SCHEMA_UNKNOWN') throw error
      const untilMs = this.#clock.monotonicMs() + unknownForMs
      this.#unknown.set(ref, { unknown: error.message, untilMs })
    }
  }

  async #writerId(subject: string, schema: string): Promise<number> {
    const found = await this.registry.find(subject, schema)
    if (found === undefined && !this.registers) {
      throw new SchemaRegistryError(
        'SCHEMA_NOT_REGISTERED',
        `subject ${subject} has no version that is the schema written here: register it with `
          + 'millrace schema register, or start with --register-schemas',
      )
    }
    const id = found?.id ?? (await registerEvolved(this.registry, { subject, schema }))
    this.#schemas.set(id, { schema })
    return id
  }
}

/** One call at a time for a key; what failed is asked anew, and so is what is `pending` only. */
const single = <K, V>(
  calls: Map<K, Promise<V>>,
  key: K,
  call: () => Promise<V>,
  keep: 'kept' | 'pending' = 'kept',
): Promise<V> => {
  const running = calls.get(key)
  if (running !== undefined) return running
  const started = call()
  calls.set(key, started)
  const forget = (): boolean => calls.delete(key)
  started.then(keep === 'pending' ? forget : () => {}, forget)
  return started
}

/**
 * An event's bytes, read with the schema that the registry gives for the id in them.
 *
 * Independent of the project's own serde: Confluent's wire format `[0][id u32][Avro body]` and avsc
 * alone. Times and counts stay numbers as they were written.
 */

import avro from 'avsc'

export interface ReadEvent {
  readonly eventId: string
  readonly eventType: string
  readonly eventVersion: string
  readonly aggregateId: string
  readonly aggregateVersion: number
  readonly data: Readonly<Record<string, unknown>>
  readonly metadata: { readonly schemaVersion: number; readonly correlationId: string }
}

const headBytes = 5

export class EventReader {
  readonly #registryUrl: string
  readonly #types = new Map<number, Promise<avro.Type>>()

  constructor(registryUrl: string) {
    this.#registryUrl = registryUrl
  }

  /** How many schemas the registry was asked for. */
  get schemaCount(): number {
    return this.#types.size
  }

  /**
   * @returns  undefined for a value that is not in this format, such as JSON of another run
   * @throws  the registry does not know the id, or the bytes are no such record
   */
  async read(value: Buffer): Promise<ReadEvent | undefined> {
    if (value.length < headBytes || value[0] !== 0) return undefined
    const type = await this.#typeOf(value.readInt32BE(1))
    return type.fromBuffer(value.subarray(headBytes)) as ReadEvent
  }

  #typeOf(id: number): Promise<avro.Type> {
    let type = this.#types.get(id)
    if (type === undefined) {
      type = this.#fetch(id)
      this.#types.set(id, type)
    }
    return type
  }

  async #fetch(id: number): Promise<avro.Type> {
    const response = await fetch(`${this.#registryUrl}/schemas/ids/${id}`)
    if (!response.ok) throw new Error(`the registry answers ${response.status} for schema ${id}`)
    const { schema } = (await response.json()) as { readonly schema: string }
    return avro.Type.forSchema(JSON.parse(schema) as avro.Schema)
  }
}

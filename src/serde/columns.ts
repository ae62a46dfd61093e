/**
 * Rows of a store as JSON arrays: the values without the names, half the bytes of an object.
 *
 * The list of columns is the layout. 1. A column that was never there, or is absent in a row, is
 * null in the array; trailing ones are left out, so columns may be added at the end, without a
 * migration. Any other change needs another name. 2. The compiler asks for every field of the row:
 * none can be forgotten. 3. The order of fields in a decoded row is that of the columns.
 */

import { json } from './json.ts'
import type { Serde } from './serde.ts'
import { registerTextDecoder } from './text-decoder.ts'

/** Columns of a row, in the order in which they are stored. */
export type Columns<Row> = {
  readonly [Name in keyof Required<Row>]: Column<NonNullable<Row[Name]>>
}

/** `json`: any value but null as it is; columns for an object; columns in brackets for a list. */
export type Column<Value> = [Value] extends [readonly (infer Item)[]]
  ? [Item] extends [object]
    ? 'json' | readonly [Columns<Item>]
    : 'json'
  : [Value] extends [object]
    ? 'json' | Columns<Value>
    : 'json'

/**
 * @param name     of the layout, with its version: compared when a store is opened
 * @throws {TypeError} at `encode`: a column is null, where absent is meant
 * @throws {SyntaxError | TypeError} at `decode`: no JSON array
 * @example        columns<Stock>('stock/1', { sku: 'json', bins: [{ id: 'json', units: 'json' }] })
 */
export const columns = <Row extends object>(name: string, layout: Columns<Row>): Serde<Row> => {
  const rows = new RowLayout(layout)
  const textOf = (row: Row): string => JSON.stringify(rows.tupleOf(row))
  const decode = (bytes: Uint8Array): Row => rows.rowOf(values.decode(bytes)) as Row
  registerTextDecoder(decode, (text) => rows.rowOf(JSON.parse(text)) as Row)
  return {
    format: `columns:${name}`,
    encode: (row) => Buffer.from(textOf(row), 'utf8'),
    decode,
    decodeSlice: (buffer, start, end) => rows.rowOf(values.decodeSlice(buffer, start, end)) as Row,
    encodeRaw: textOf,
    keptOf: (row) => rows.keptOf(row) as Row,
  }
}

const values = json<unknown>()

interface ColumnLayout {
  readonly name: string
  readonly isList: boolean
  /** Undefined for a value that is stored as it is. */
  readonly nested: RowLayout | undefined
}

class RowLayout {
  readonly #columns: readonly ColumnLayout[]

  constructor(layout: object) {
    this.#columns = Object.entries(layout).map(([name, column]: [string, unknown]) => ({
      name,
      isList: Array.isArray(column),
      nested: nestedOf(column),
    }))
  }

  readonly tupleOf = (row: object): unknown[] => {
    const tuple: unknown[] = []
    let usedColumns = 0
    for (let i = 0; i < this.#columns.length; i++) {
      const { name, nested, isList } = this.#columns[i]!
      const value = (row as Readonly<Record<string, unknown>>)[name]
      if (value === null) throw new TypeError(`column ${name} is null; leave the field out`)
      if (value === undefined) tuple.push(null)
      else {
        if (nested === undefined) tuple.push(value)
        else tuple.push(isList ? (value as object[]).map(nested.tupleOf) : nested.tupleOf(value))
        usedColumns = i + 1
      }
    }
    tuple.length = usedColumns
    return tuple
  }

  /** A copy without the fields that are no columns. */
  readonly keptOf = (row: object): object => {
    const kept: Record<string, unknown> = {}
    for (const { name, nested, isList } of this.#columns) {
      const value = (row as Readonly<Record<string, unknown>>)[name]
      if (value === undefined) continue
      if (nested === undefined || value === null) kept[name] = value // null is refused at `encode`
      else kept[name] = isList ? (value as object[]).map(nested.keptOf) : nested.keptOf(value)
    }
    return kept
  }

  readonly rowOf = (tuple: unknown): object => {
    if (!Array.isArray(tuple)) throw new TypeError('the row is no JSON array')
    const row: Record<string, unknown> = {}
    const count = Math.min(tuple.length, this.#columns.length)
    for (let i = 0; i < count; i++) {
      const value: unknown = tuple[i]
      if (value === null) continue
      const { name, nested, isList } = this.#columns[i]!
      if (nested === undefined) row[name] = value
      else row[name] = isList ? (value as unknown[]).map(nested.rowOf) : nested.rowOf(value)
    }
    return row
  }
}

const nestedOf = (column: unknown): RowLayout | undefined => {
  if (column === 'json') return undefined
  return new RowLayout((Array.isArray(column) ? column[0] : column) as object)
}

/**
 * Products with their prices and the name of their supplier: the joins of tables of
 * `docs/tables.md`.
 *
 * Run by `test/docs/join-examples.test.ts`, which shows what comes out and when.
 */

import {
  foreignKeyStore,
  json,
  leftJoinTables,
  leftJoinTablesByForeignKey,
  nullable,
  table,
  tableStore,
  to,
  topic,
  topology,
  toStream,
  utf8,
} from '../../src/index.ts'

export interface Product {
  readonly title: string
  readonly supplierId?: string
}

export interface Sheet {
  readonly title: string
  readonly supplier: string
  readonly cents?: number
}

export const products = topic('products', { key: utf8, value: json<Product>() })
export const suppliers = topic('suppliers', { key: utf8, value: json<string>() })
export const prices = topic('prices', { key: utf8, value: json<number>() })
export const sheets = topic('sheets', { key: utf8, value: nullable(json<Sheet>()) })

export const productRows = tableStore('product-rows', products)
export const supplierRows = tableStore('supplier-rows', suppliers)
export const priceRows = tableStore('price-rows', prices)
/** Kept, since the next join looks it up. */
export const suppliedRows = tableStore('supplied-rows', { key: utf8, value: json<Sheet>() })
export const supplierOf = foreignKeyStore('supplier-of', {
  left: productRows,
  right: supplierRows,
})

export const productSheet = topology('product-sheet', () => {
  const supplied = leftJoinTablesByForeignKey(
    table(products, productRows),
    table(suppliers, supplierRows),
    { by: supplierOf, keyOf: ({ supplierId }) => supplierId, store: suppliedRows },
    ({ title }, supplier): Sheet => ({ title, supplier: supplier ?? 'unknown' }),
  )
  const priced = leftJoinTables(supplied, table(prices, priceRows), (sheet, cents) =>
    cents === undefined ? sheet : { ...sheet, cents },
  )
  return [toStream(priced).pipe(to(sheets))]
})
